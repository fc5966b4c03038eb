// SPDX-License-Identifier: Apache-2.0
//
// How to send a first span to this very server: its OTLP addresses as a sender reaches them, and the
// lines for each language and for a Collector. Next: pages/search/first_span.tsx.
import type { Listener } from '../api/types';

export interface Door {
  url: string; // "http://localhost:4318", "https://weft:4317"
  hostPort: string; // "localhost:4318"
  tls: boolean;
  local: boolean; // only programs on weft's own machine reach it
}

export interface Doors {
  http: Door | null;
  grpc: Door | null;
}

const kLoopback = /^(localhost|127(\.\d+){3}|::1)$/;
const kAnyHost = /^(0\.0\.0\.0|::|\*|)$/;

// `pageHost`: by which name the browser reached the server.
function doorOf(listener: Listener, pageHost: string): Door | null {
  const tls = listener.tls === true;
  const match = /^(?:\[([^\]]*)\]|([^:/]*)):(\d+)$/.exec(listener.address);
  if (match === null) {
    // A unix socket has neither host nor port.
    return listener.address === '' ? null : { url: listener.address, hostPort: listener.address, tls, local: true };
  }
  const bound = match[1] ?? match[2] ?? '';
  const page = pageHost.replace(/^\[|\]$/g, '');
  const pageIsHere = kLoopback.test(page);
  const loopback = kLoopback.test(bound);
  const host = loopback ? (pageIsHere ? page : 'localhost') : kAnyHost.test(bound) ? page : bound;
  const hostPort = `${host.includes(':') ? `[${host}]` : host}:${match[3]}`;
  return { url: `${tls ? 'https' : 'http'}://${hostPort}`, hostPort, tls, local: loopback && !pageIsHere };
}

export function otlpDoors(listeners: readonly Listener[], pageHost: string): Doors {
  const first = (protocol: string) => {
    const doors = listeners
      .filter(({ name }) => name.split('/')[0] === 'otlp' && name.endsWith(`/${protocol}`))
      .map((listener) => doorOf(listener, pageHost))
      .filter((door) => door !== null);
    return doors.find((door) => !door.local) ?? doors[0] ?? null;
  };
  return { http: first('http'), grpc: first('grpc') };
}

export interface Recipe {
  name: string;
  lines: string;
}

const kDefaultHttp = /^http:\/\/(localhost|127\.0\.0\.1):4318$/;

function exporterLines(doors: Doors, receivers: string, signals: readonly string[]): string[] {
  const overHttp = doors.grpc === null;
  const door = doors.grpc ?? doors.http!;
  const exporter = overHttp ? 'otlphttp' : 'otlp';
  return [
    'exporters:', `  ${exporter}:`, `    endpoint: ${overHttp ? door.url : door.hostPort}`,
    ...(door.tls ? [] : ['    tls:', '      insecure: true']),
    'service:', '  pipelines:',
    ...signals.flatMap((signal) => [`    ${signal}:`, `      receivers: [${receivers}]`, `      exporters: [${exporter}]`]),
  ];
}

function collector(doors: Doors): string {
  return ['# beside the receivers that it has:', ...exporterLines(doors, 'otlp', ['traces', 'logs'])].join('\n');
}

// weft has no receiver for these protocols: a Collector turns them into OTLP.
function otherSenders(doors: Doors): string {
  return [
    '# weft takes OTLP. A Collector in between takes what Zipkin and Jaeger clients send:',
    'receivers:', '  zipkin:', '    endpoint: 0.0.0.0:9411', '  jaeger:', '    protocols:', '      grpc:', '      thrift_http:', '      thrift_compact:',
    ...exporterLines(doors, 'zipkin, jaeger', ['traces']),
  ].join('\n');
}

// REQUIRES: one of the doors is there.
export function recipesFor(doors: Doors): Recipe[] {
  const door = doors.http ?? doors.grpc!;
  const protocol = doors.http === null ? 'grpc' : 'http/protobuf';
  const where = `OTEL_EXPORTER_OTLP_ENDPOINT=${door.url}`;
  const how = `OTEL_EXPORTER_OTLP_PROTOCOL=${protocol}`;
  const who = 'OTEL_SERVICE_NAME=my-service';
  const exported = `export ${where}\nexport ${how}\nexport ${who}`;
  const go = doors.http === null ? 'otlptracegrpc' : 'otlptracehttp';
  const isDefault = doors.http !== null && kDefaultHttp.test(doors.http.url);
  return [
    { name: 'Any SDK', lines: exported },
    {
      name: 'Python',
      lines: `pip install opentelemetry-distro opentelemetry-exporter-otlp\nopentelemetry-bootstrap -a install\n${where} \\\n${how} \\\n${who} opentelemetry-instrument python app.py`,
    },
    {
      name: 'Node.js',
      lines: `npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node\n${where} \\\n${how} \\\n${who} \\\nnode --require @opentelemetry/auto-instrumentations-node/register app.js`,
    },
    { name: 'Java', lines: `${where} \\\n${how} \\\n${who} \\\njava -javaagent:opentelemetry-javaagent.jar -jar app.jar` },
    { name: 'Go', lines: `${exported}\n# in the program: ${go}.New(ctx) reads these` },
    { name: '.NET', lines: `${exported}\n# in the program: AddOpenTelemetry().WithTracing(t => t.AddOtlpExporter())` },
    { name: 'Collector', lines: collector(doors) },
    { name: 'Zipkin, Jaeger', lines: otherSenders(doors) },
    { name: 'Demo', lines: isDefault ? 'weft demo' : `weft demo --url ${door.url}` },
  ];
}
