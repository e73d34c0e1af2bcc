// How is a long list read page by page, the newest first, while it grows?

import {pager} from "./elements.js";
import {live} from "./live.js";

const REST = 4; // times as long as drawing took: records of a megabyte are many megabytes a page

export class Pages {
  /** `changes()` tells by another value that there is something new, `show(pages)` fetches and draws,
   *  `reading()` tells whether somebody has opened something, which is not to be drawn over. */
  constructor(size, {changes, show, reading = () => false}) {
    Object.assign(this, {size, changes, show, reading, page: 0, seen: null, isBusy: false, notBefore: 0});
  }

  /** Draw what is new. */
  async tick() {
    const now = `${this.changes()} ${this.page}`;
    if (!live.stats || this.isBusy || now === this.seen || (this.seen !== null && this.reading())) return;
    if (this.seen !== null && Date.now() < this.notBefore) return;
    const began = Date.now();
    this.isBusy = true;
    try {
      await this.show(this);
      this.seen = now;
    } finally {
      this.isBusy = false;
      this.notBefore = Date.now() + REST * (Date.now() - began);
    }
  }

  /** Turn to another page. */
  async go(page) {
    this.page = page;
    this.seen = null;
    await this.tick();
  }

  /** Turn to the page on which that one of `total` is. */
  goTo(number, total) {
    return this.go(Math.floor((total - 1 - number) / this.size));
  }

  /** Of `total` things in order of arrival, the place of this page's oldest, and how many it has. */
  range(total) {
    const end = Math.max(0, total - this.page * this.size);
    const from = Math.max(0, end - this.size);
    return [from, end - from];
  }

  /** Buttons to turn pages with, where there are several. */
  steps(total) {
    return total > this.size ? pager(this.page, this.size, total, (page) => this.go(page)) : null;
  }
}
