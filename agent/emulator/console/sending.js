// How does one send to an inlet?

const RECORD = {_id: "order-1", city: "Zürich", total: 42.5};
const SECOND = {_id: "order-2", city: "Paris", total: 7};

/** Ways to send to `inlet` for the provisioned flow `to`, if any: {title, text}, ready for a shell. */
export function commands(inlet, to) {
  const flow = inlet.flow_ids?.[0];
  const headers = [`-H 'Content-Type: application/json'`];
  if (flow) headers.push(`-H 'x-adobe-flow-id: ${flow}'`);
  if (inlet.authenticated) headers.push(`-H "Authorization: Bearer $TOKEN"`);
  const curl = (url, body) => [`curl -sS '${url}'`, ...headers, `-d '${JSON.stringify(body)}'`].join(" \\\n  ");
  const ways = [];
  if (inlet.token_url) ways.push({title: "Token", text: token(inlet)});
  ways.push({title: "One record", text: curl(inlet.url, sample(inlet, to, RECORD))});
  ways.push({title: "A batch", text: curl(inlet.batch_url, {messages: [sample(inlet, to, RECORD), sample(inlet, to, SECOND)]})});
  if (inlet.data_type !== "xdm" && !inlet.authenticated) {
    ways.push({title: "The agent", text: `aep-agent send \\\n  --inlet-url '${inlet.url}' \\\n  --flow-id ${flow} \\\n  orders.ndjson`});
  }
  return ways;
}

/** Send one record from this page; {status, text} of the answer. */
export async function sendOne(inlet, to) {
  const record = {...RECORD, _id: crypto.randomUUID?.() ?? String(Math.random())};
  const answer = await fetch(`/collection/${encodeURIComponent(inlet.id)}`, {
    method: "POST",
    headers: {"Content-Type": "application/json", ...(inlet.flow_ids?.length ? {"x-adobe-flow-id": inlet.flow_ids[0]} : {})},
    body: JSON.stringify(sample(inlet, to, record)),
  });
  return {status: answer.status, text: await answer.text()};
}

function token(inlet) {
  return `TOKEN=$(curl -sS '${inlet.token_url}' \\\n  -d grant_type=client_credentials -d client_id=${inlet.client_id} \\\n  -d client_secret="$AEP_CLIENT_SECRET" -d scope=openid |\n  python3 -c 'import json,sys; print(json.load(sys.stdin)["access_token"])')`;
}

function sample(inlet, to, record) {
  if (inlet.data_type !== "xdm") return record;
  const schemaRef = {id: to?.schemaId ?? "https://ns.adobe.com/example/schemas/1", contentType: "application/vnd.adobe.xed-full+json;version=1"};
  return {header: {schemaRef, flowId: inlet.flow_ids?.[0], datasetId: to?.datasetId ?? undefined}, body: {xdmMeta: {schemaRef}, xdmEntity: record}};
}
