// SPDX-License-Identifier: Apache-2.0
//
// Where the UI starts: theme, router, shell. Next: app/shell.tsx.
import { render } from 'preact';

render(<p>weft</p>, document.getElementById('app')!);
