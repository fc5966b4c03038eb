// SPDX-License-Identifier: Apache-2.0
//
// "service operation" on one line: the service stands whole or not at all, the operation is cut at the
// end. The style sheet decides (.name-pair in app/base.css): what has no room falls out of the line.

export function NamePair({ service, name }: { service: string; name: string }) {
  return (
    <span class="name-pair" title={`${service} ${name}`}>
      <span class="dim">{service}</span>
      {' '}
      <b>{name}</b>
    </span>
  );
}
