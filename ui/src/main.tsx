// SPDX-License-Identifier: Apache-2.0
//
// Where the UI starts: theme, router, keys, shell. Next: app/shell.tsx.
import { render } from 'preact';
import './app/base.css';
import './pages/search/search.css';
import './pages/trace/trace.css';
import { startKeyboard } from './app/keyboard';
import { startRouter } from './app/router';
import { Shell } from './app/shell';
import { startTheme } from './app/theme';

startTheme();
startRouter();
startKeyboard();
render(<Shell />, document.getElementById('app')!);
