// SPDX-License-Identifier: Apache-2.0
//
// A trace id as people paste it: alone (any case, dashed, padded with zeros or without them, base64),
// inside of a header that carries it (traceparent, b3, uber-trace-id, X-Amzn-Trace-Id,
// X-Cloud-Trace-Context), of an address (ours, Jaeger's, Zipkin's, Grafana's) or of a log line.
// Next: app/shell.tsx, pages/search/search_page.tsx.

export interface PastedTrace {
  traceId: string; // 32 digits
  spanId: string; // 16 digits, or "" where the text names none
}

const kHeader =
  /^(?:-H\s+)?["']?(?:traceparent|b3|x-b3-traceid|uber-trace-id|x-amzn-trace-id|x-cloud-trace-context|trace[-_. ]?id|trace)["']?\s*[:=]\s*/i;
const kNamedId = /trace[-_. ]?id["']?\s*[:=]\s*["']?((?:0x)?[0-9a-f][0-9a-f-]{14,47})/i;
const kNamedSpan = /(?<![a-z])span(?:[-_. ]?id)?["']?\s*[:=]\s*["']?((?:0x)?[0-9a-f]{1,16})(?![0-9a-f])/i;
const kInPath = /\/traces?\/([0-9a-f-]{1,64})(?![0-9a-z])/i;
const kTraceparent = /(?<![0-9a-z])[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?![0-9a-z])/i;
const kWholeId = /(?<![0-9a-z-])(?:[0-9a-f]{32}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?!-?[0-9a-z])/gi;

// `digits` with or without zeros in front as so many digits; "" where it has more, or is zero.
function padded(digits: string, count: number): string {
  const plain = digits.toLowerCase().replace(/^0x/, '').replace(/-/g, '').replace(/^0+/, '');
  return /^[0-9a-f]+$/.test(plain) && plain.length <= count ? plain.padStart(count, '0') : '';
}

function found(traceDigits: string, spanDigits = ''): PastedTrace | null {
  const traceId = padded(traceDigits, 32);
  return traceId === '' ? null : { traceId, spanId: padded(spanDigits, 16) };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % that escapes nothing
  }
}

function fromBase64(text: string): PastedTrace | null {
  if (!/^[A-Za-z0-9+/_-]{22}(==)?$/.test(text) || /^[0-9a-f-]+$/i.test(text)) return null;
  const bytes = atob(text.replace(/-/g, '+').replace(/_/g, '/').replace(/=+$/, ''));
  return found([...bytes].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join(''));
}

// Forms that stand for themselves: one header's value.
function fromHeader(text: string): PastedTrace | null {
  const forms: readonly RegExp[] = [
    /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})(?:-[0-9a-f]{2}.*)?$/i, // traceparent
    /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-[01d](?:-[0-9a-f]{16})?)?$/i, // b3
    /^([0-9a-f]{1,32}):([0-9a-f]{1,16}):[0-9a-f]{1,16}:[0-9a-f]{1,2}$/i, // uber-trace-id
  ];
  for (const form of forms) {
    const match = form.exec(text);
    if (match !== null) return found(match[1]!, match[2]);
  }
  const amazon = /(?:^|Root=)1-([0-9a-f]{8})-([0-9a-f]{24})(?:;Parent=([0-9a-f]{16}))?/i.exec(text);
  if (amazon !== null) return found(amazon[1]! + amazon[2]!, amazon[3]);
  const google = /^([0-9a-f]{32})\/(\d{1,20})(?:;o=\d+)?$/i.exec(text);
  return google === null ? null : found(google[1]!, BigInt(google[2]!).toString(16));
}

// What a longer text says: an address, a log line, a piece of JSON.
function fromSentence(text: string): PastedTrace | null {
  const span = kNamedSpan.exec(text)?.[1] ?? '';
  for (const form of [kInPath, kNamedId]) {
    const match = form.exec(text);
    const trace = match === null ? null : found(match[1]!, span);
    if (trace !== null) return trace;
  }
  const carried = kTraceparent.exec(text);
  if (carried !== null) return found(carried[1]!, carried[2]);
  // One that stands anywhere, as long as it is the only one.
  const whole = new Set([...text.matchAll(kWholeId)].map((match) => padded(match[0], 32)));
  return whole.size === 1 ? found([...whole][0]!, span) : null;
}

// The trace that `text` names; null where it names none. `leastDigits`: what has fewer digits and
// nothing around it is taken for a word.
export function readPastedTrace(text: string, leastDigits = 1): PastedTrace | null {
  let bare = text.trim().replace(/^[\s"'`<([{]+|[\s"'`>)\]},;.]+$/g, '');
  if (/%[0-9a-f]{2}/i.test(bare)) bare = unescaped(bare);
  const value = bare.replace(kHeader, '').replace(/^["']/, '');
  const digits = value.replace(/[\s-]/g, '').replace(/^0x/i, '');
  const special = fromBase64(value) ?? fromHeader(value);
  if (special !== null) return special;
  if (/^[0-9a-f]+$/i.test(digits)) {
    // Pieces make one id only where they add up to a whole one.
    if (/[\s-]/.test(value) && digits.length !== 16 && digits.length !== 32) return null;
    const named = value !== bare;
    return digits.length >= leastDigits || named ? found(digits) : null;
  }
  return fromSentence(bare);
}
