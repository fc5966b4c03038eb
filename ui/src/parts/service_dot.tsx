// SPDX-License-Identifier: Apache-2.0
//
// The square in a service's colour that stands before its name wherever the name stands.
import { serviceColourIndex } from '../model/palette';

export function ServiceDot({ name }: { name: string }) {
  return <i class={`dot service-${serviceColourIndex(name)}`} aria-hidden="true" />;
}
