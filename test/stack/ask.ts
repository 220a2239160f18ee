// A client inside the stack, for what the host cannot reach: node test/stack/ask.ts URL [JSON body]
// Prints the status and the body; exit code 0 where there was an answer.
const [url = '', body] = process.argv.slice(2);
const answer = await fetch(url, {
  ...(body !== undefined && { method: 'POST', headers: { 'content-type': 'application/json' }, body }),
  signal: AbortSignal.timeout(10_000),
});
console.log(JSON.stringify({ status: answer.status, body: await answer.text() }));
