// Light, dark, or as the system is: what somebody chose stays chosen.

import {say} from "./elements.js";

const THEMES = ["auto", "light", "dark"];

/** Have the button #theme choose between them. */
export function theme() {
  const button = document.getElementById("theme");
  const show = (name) => {
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    say(button, {auto: "Auto", light: "Light", dark: "Dark"}[name]);
    button.setAttribute("aria-label", `Colours: ${name}. Change`);
  };
  let now = localStorage.getItem("theme") ?? "auto";
  show(now);
  button.addEventListener("click", () => {
    now = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
    localStorage.setItem("theme", now);
    show(now);
  });
}
