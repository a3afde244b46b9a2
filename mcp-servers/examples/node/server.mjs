// Example of an MCP server: whether a page answers, and a line for the team's outbox.
//
// ALLOWED_HOSTS names the hosts that may be asked (HOST or HOST:PORT, by commas): without it none.
// OUTBOX_FILE names the file that messages are appended to.

import { appendFile } from "node:fs/promises";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const PATIENCE_MS = 5000;
const allowed = new Set((process.env.ALLOWED_HOSTS ?? "").split(",").map((h) => h.trim()).filter(Boolean));

const server = new McpServer({ name: "web", version: "1.0.0" });

/** A result as data, and the same as text for clients of an earlier protocol. */
function answer(value) {
  return { content: [{ type: "text", text: JSON.stringify(value) }], structuredContent: value };
}

/** A failure as data; `isError` marks it. */
function failure(error) {
  return { ...answer({ success: false, error }), isError: true };
}

server.registerTool(
  "check_url",
  {
    title: "Check a page",
    description: "Status and time of a page on an allowed host. Redirects are not followed.",
    inputSchema: { url: z.string().url().max(2048).describe("http:// or https://") },
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  },
  async ({ url }) => {
    const target = new URL(url);
    if (!["http:", "https:"].includes(target.protocol) || !allowed.has(target.host)) {
      return failure(`${target.host} is not an allowed host: name it in ALLOWED_HOSTS`);
    }
    const began = performance.now();
    try {
      const reply = await fetch(target, { redirect: "manual", signal: AbortSignal.timeout(PATIENCE_MS) });
      await reply.body?.cancel();
      const ms = Math.round(performance.now() - began);
      return answer({ success: true, message: `${reply.status} in ${ms} ms`, status: reply.status, ms });
    } catch (error) {
      return failure(`${target.host} does not answer: ${error.cause?.code ?? error.message}`);
    }
  },
);

server.registerTool(
  "send_message",
  {
    title: "Send a message",
    description: "Appends a line to the team's outbox.",
    inputSchema: { text: z.string().min(1).max(1024).describe("One line") },
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  },
  async ({ text }) => {
    const file = process.env.OUTBOX_FILE;
    if (!file) return failure("OUTBOX_FILE names no file");
    if (/[\r\n]/.test(text)) return failure("text: one line is expected");
    await appendFile(file, `${new Date().toISOString()} ${text}\n`);
    return answer({ success: true, message: "the message is in the outbox" });
  },
);

await server.connect(new StdioServerTransport());
