// The npm package's transcriptions, as its users write them, against the transcription server.
const fs = require("node:fs");
const OpenAI = require("openai");

const [url, key, path] = process.argv.slice(2);
const client = (options = {}) => new OpenAI({ baseURL: url, apiKey: key, maxRetries: 0, ...options });
const send = (fields = {}, options = {}) =>
  client(options).audio.transcriptions.create({ model: "whisper-1", file: fs.createReadStream(path), ...fields });
const raised = async (...arguments_) => {
  try {
    return await send(...arguments_);
  } catch (error) {
    return [error.constructor.name, error.status];
  }
};

const scenes = {
  async forms() {
    const short = await send();
    const long = await send({ response_format: "verbose_json", language: "en" });
    return [short.text, long.text, long.language, await send({ response_format: "text" })];
  },
  async stream() {
    const events = [];
    for await (const event of await send({ model: "gpt-4o-transcribe", stream: true })) events.push(event);
    return [events.map((event) => event.type), events.at(-1).text];
  },
  async refusals() {
    const foreign = (address, init) => {
      // fetch sets Host by itself, so the request is made by hand.
      const { request } = require("node:http");
      return new Promise((resolve, reject) => {
        const headers = { ...Object.fromEntries(new Headers(init.headers)), host: "evil.example" };
        const sent = request(address, { method: "POST", headers }, (reply) => {
          const parts = [];
          reply.on("data", (part) => parts.push(part));
          reply.on("end", () => resolve(new Response(Buffer.concat(parts), { status: reply.statusCode, headers: reply.headers })));
        });
        sent.on("error", reject);
        sent.end("x");
      });
    };
    return [await raised({ response_format: "srt" }), await raised({}, { apiKey: "wrong" }), await raised({}, { fetch: foreign })];
  },
};

(async () => {
  const seen = {};
  for (const [name, scene] of Object.entries(scenes)) {
    try {
      seen[name] = { saw: await scene() };
    } catch (error) {
      seen[name] = { raised: String(error.stack) };
    }
  }
  console.log(JSON.stringify(seen));
})();
