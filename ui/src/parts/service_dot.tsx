// SPDX-License-Identifier: Apache-2.0
//
// The square in a service's colour that stands before its name wherever the name stands. The colour
// is that of the service on this page (model/palette.ts).
import type { ServiceColours } from '../model/palette';

export function ServiceDot({ name, colours }: { name: string; colours: ServiceColours }) {
  return <i class="dot" style={{ background: colours.of(name) }} aria-hidden="true" />;
}
