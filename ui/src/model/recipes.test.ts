// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { otlpDoors, recipesFor } from './recipes';

const doors = (http: string, grpc: string, host = 'localhost', tls = false) => otlpDoors(
  [
    { name: 'query', address: '127.0.0.1:16686', tls }, ...(grpc === '' ? [] : [{ name: 'otlp/grpc', address: grpc, tls }]),
    ...(http === '' ? [] : [{ name: 'otlp/http', address: http, tls }]),
  ], host);
const lines = (name: string, from = doors('127.0.0.1:4318', '127.0.0.1:4317')) => recipesFor(from).find((recipe) => recipe.name === name)!.lines;

describe('otlpDoors', () => {
  it.each([
    ['127.0.0.1:5018', 'localhost', 'http://localhost:5018', false], ['localhost:4318', '127.0.0.1', 'http://127.0.0.1:4318', false],
    ['0.0.0.0:4318', 'weft.example', 'http://weft.example:4318', false], ['[::]:4318', 'weft.example', 'http://weft.example:4318', false],
    ['10.1.2.3:4318', 'weft.example', 'http://10.1.2.3:4318', false], ['127.0.0.1:4318', 'weft.example', 'http://localhost:4318', true],
    ['[::1]:4318', '[::1]', 'http://[::1]:4318', false], [':4318', 'weft.example', 'http://weft.example:4318', false],
    ['unix:///run/weft.sock', 'localhost', 'unix:///run/weft.sock', true],
  ])('%s seen from %s', (address, host, url, local) => {
    expect(doors(address, '', host).http).toMatchObject({ url, local });
  });
  it('says https where the listener speaks TLS', () => {
    expect(doors('0.0.0.0:4318', '0.0.0.0:4317', 'w', true)).toMatchObject({ http: { url: 'https://w:4318' }, grpc: { url: 'https://w:4317' } });
  });
  it('takes a named receiver, and one that others reach rather than a local one', () => {
    expect(otlpDoors([{ name: 'otlp/inside/http', address: '127.0.0.1:1' }, { name: 'otlp/out/http', address: '0.0.0.0:2' }], 'w').http?.url).toBe('http://w:2');
  });
  it('knows that there may be none', () => expect(otlpDoors([{ name: 'zipkin', address: 'a:1' }], 'w')).toEqual({ http: null, grpc: null }));
});

describe('recipesFor', () => {
  it('names the real port in every recipe', () => {
    for (const recipe of recipesFor(doors('127.0.0.1:5018', '127.0.0.1:5017'))) {
      expect(recipe.lines, recipe.name).toMatch(/localhost:50(17|18)/);
      expect(recipe.lines, recipe.name).not.toContain('43');
    }
  });
  it('is short where everything has its usual place', () => expect(lines('Demo')).toBe('weft demo'));
  it('has a Collector snippet', () => {
    expect(lines('Collector')).toContain('  otlp:\n    endpoint: localhost:4317\n    tls:\n      insecure: true\nservice:');
    expect(lines('Collector', doors('h:4318', 'h:4317', 'h', true))).not.toContain('insecure');
    expect(lines('Collector', doors('h:4318', '', 'h'))).toContain('  otlphttp:\n    endpoint: http://h:4318');
  });
  it('has a way for Zipkin and Jaeger senders', () => {
    expect(lines('Zipkin, Jaeger')).toMatch(/zipkin:\n {4}endpoint: 0\.0\.0\.0:9411[\s\S]*receivers: \[zipkin, jaeger\]\n {6}exporters: \[otlp\]$/);
  });
  it('speaks gRPC where that is all there is', () => expect(lines('Any SDK', doors('', '127.0.0.1:4317'))).toContain('PROTOCOL=grpc'));
});
