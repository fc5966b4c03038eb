// SPDX-License-Identifier: Apache-2.0
//
// The names beside the bars, and at the same time what a screen reader gets of the waterfall: the
// rows on screen as an ARIA treegrid. A fixed pool of elements is moved and refilled while scrolling;
// an element is touched only when it gets another row. Next: pages/trace/waterfall_view.tsx.
import { kRowHeight } from '../../draw/waterfall';
import { serviceColourIndex } from '../../model/palette';
import { kFlagErrorOrigin, kFlagLinks, kFlagOrphan, kLabelDescription, type TraceColumns } from '../../model/trace_columns';
import { formatCount, formatDuration } from '../../model/units';
import { kContext } from '../../model/visible_rows';
import type { TraceState } from './trace_state';

const kIndent = 12;
const kDeepAfter = 14; // levels from here on are indented by little
const kDeepIndent = 2;

function indentOf(depth: number): number {
  return depth <= kDeepAfter ? depth * kIndent : kDeepAfter * kIndent + (depth - kDeepAfter) * kDeepIndent;
}

interface RowElement {
  root: HTMLDivElement;
  indent: HTMLSpanElement;
  caret: HTMLSpanElement;
  dot: HTMLElement;
  run: Text;
  service: Text;
  name: Text;
  marks: HTMLSpanElement;
  facts: Text;
  position: number; // shown now, or -1
}

function make(): RowElement {
  const root = document.createElement('div');
  root.setAttribute('role', 'row');
  root.className = 'tree-row';
  root.hidden = true;
  const name = document.createElement('span');
  name.setAttribute('role', 'gridcell');
  name.className = 'tree-name';
  const indent = document.createElement('span');
  indent.className = 'tree-indent';
  const caret = document.createElement('span');
  caret.className = 'tree-caret';
  caret.setAttribute('aria-hidden', 'true');
  const dot = document.createElement('i');
  const run = document.createTextNode('');
  const runBox = document.createElement('b');
  runBox.append(run);
  const service = document.createTextNode('');
  const serviceBox = document.createElement('span');
  serviceBox.className = 'tree-service';
  serviceBox.append(service);
  const operation = document.createTextNode('');
  const operationBox = document.createElement('span');
  operationBox.className = 'tree-operation';
  operationBox.append(operation);
  const marks = document.createElement('span');
  marks.className = 'tree-marks';
  name.append(indent, caret, dot, runBox, serviceBox, operationBox, marks);
  const facts = document.createTextNode('');
  const factsCell = document.createElement('span');
  factsCell.setAttribute('role', 'gridcell');
  factsCell.className = 'unseen';
  factsCell.append(facts);
  root.append(name, factsCell);
  return { root, indent, caret, dot, run, service, name: operation, marks, facts, position: -1 };
}

export class TreeGrid {
  private readonly pool: RowElement[] = [];
  private readonly body: HTMLDivElement;
  private readonly colourClass: string[] = [];
  private columns: TraceColumns | null = null;
  private drawnVersion = -1;
  private selected = -1;

  constructor(private readonly grid: HTMLElement, private readonly state: TraceState) {
    this.body = document.createElement('div');
    this.body.className = 'tree-body';
    this.body.setAttribute('role', 'presentation');
    grid.append(this.body);
  }

  // Shows the rows from `topPx` on; `version` changes whenever rows were rebuilt.
  update(topPx: number, height: number, version: number, hovered: number): void {
    const columns = this.state.columns.value;
    if (columns === null) return;
    if (columns !== this.columns) {
      this.columns = columns;
      this.colourClass.length = 0;
      for (const name of columns.header.services) this.colourClass.push(`dot service-${serviceColourIndex(name)}`);
    }
    const { rows } = this.state;
    const need = Math.ceil(height / kRowHeight) + 1;
    while (this.pool.length < need) {
      const row = make();
      this.pool.push(row);
      this.body.append(row.root);
    }
    const size = this.pool.length;
    const first = Math.floor(topPx / kRowHeight);
    const refill = version !== this.drawnVersion;
    this.drawnVersion = version;
    this.selected = this.state.selected.value;
    let active = '';
    for (let i = 0; i < size; i++) {
      const position = first + i;
      const element = this.pool[position % size]!;
      if (position >= rows.count || i >= need) {
        if (element.position !== -1) {
          element.position = -1;
          element.root.hidden = true;
        }
        continue;
      }
      if (refill || element.position !== position) this.fill(element, position, columns);
      const row = rows.rows[position]!;
      element.root.style.transform = `translateY(${position * kRowHeight - topPx}px)`;
      const isSelected = row === this.selected;
      if (isSelected) active = element.root.id;
      this.paintState(element, isSelected, position === hovered, this.state.foundMarks[row] === 1);
    }
    this.grid.setAttribute('aria-rowcount', String(rows.count));
    if (active === '') this.grid.removeAttribute('aria-activedescendant');
    else this.grid.setAttribute('aria-activedescendant', active);
  }

  private paintState(element: RowElement, selected: boolean, hovered: boolean, found: boolean): void {
    const { root } = element;
    root.classList.toggle('selected', selected);
    root.classList.toggle('hovered', hovered);
    root.classList.toggle('found', found);
    if ((root.getAttribute('aria-selected') === 'true') !== selected) root.setAttribute('aria-selected', String(selected));
  }

  private fill(element: RowElement, position: number, columns: TraceColumns): void {
    const { rows } = this.state;
    const row = rows.rows[position]!;
    const run = rows.runs[position]!;
    const { root } = element;
    element.position = position;
    root.hidden = false;
    root.id = `span-row-${row}`;
    root.setAttribute('aria-rowindex', String(position + 1));
    root.setAttribute('aria-level', String(columns.depth[row]! + 1));
    root.classList.toggle('context', rows.marks[row] === kContext);
    element.indent.style.width = `${indentOf(columns.depth[row]!)}px`;
    const opens = run > 0 || columns.hasChildren(row);
    const open = this.state.isOpen(position);
    if (opens) root.setAttribute('aria-expanded', String(open));
    else root.removeAttribute('aria-expanded');
    element.caret.className = opens ? `tree-caret ${open ? 'open' : 'closed'}` : 'tree-caret';
    element.dot.className = this.colourClass[columns.service[row]!] ?? 'dot';
    element.run.data = run > 0 ? `${formatCount(run)} \u00d7 ` : '';
    const sameService = columns.parent[row]! >= 0 && columns.service[columns.parent[row]!] === columns.service[row];
    element.service.data = sameService ? '' : columns.serviceOf(row);
    element.name.data = columns.nameOf(row);
    element.facts.data = columns.labelOf(kLabelDescription, row, this.describe);
    this.fillMarks(element.marks, row, run, columns);
  }

  private readonly describe = (row: number): string => {
    const columns = this.columns!;
    const error = columns.isError(row) ? ', error' : '';
    return `${columns.serviceOf(row)}, starts at ${formatDuration(columns.startOf(row))}, takes ${formatDuration(columns.duration[row]!)}${error}`;
  };

  private fillMarks(box: HTMLSpanElement, row: number, run: number, columns: TraceColumns): void {
    const flags = columns.flags[row]!;
    const errors = run > 0 ? columns.errorsIn(row, columns.foldEnd[row]!) : columns.isError(row) ? 1 : 0;
    const quiet = errors === 0 && (run > 0 || (columns.logs[row] === 0 && columns.events[row] === 0 && flags === 0));
    if (quiet) {
      if (box.firstChild !== null) box.replaceChildren();
      return;
    }
    const parts: HTMLElement[] = [];
    const add = (className: string, text: string, title: string) => {
      const part = document.createElement('span');
      part.className = className;
      part.textContent = text;
      part.title = title;
      parts.push(part);
    };
    if (errors > 0) {
      const origin = (flags & kFlagErrorOrigin) !== 0;
      add(`mark-error${origin ? ' origin' : ''}`, run > 0 ? `! ${formatCount(errors)}` : '!',
        run > 0 ? `${errors} with errors` : origin ? 'an error began here' : 'error');
    }
    if (run === 0) {
      if ((flags & kFlagOrphan) !== 0) add('mark', '?', 'the parent of this span has not arrived');
      if ((flags & kFlagLinks) !== 0) add('mark', '\u21c4', 'has links to other spans');
      const logs = columns.logs[row]! + columns.events[row]!;
      if (logs > 0) add('mark', `\u2261 ${formatCount(logs)}`, `${columns.logs[row]} log lines, ${columns.events[row]} events`);
    }
    box.replaceChildren(...parts);
  }

  // The row of an element that was clicked, and whether on its caret.
  hit(target: Element): { position: number; caret: boolean } | null {
    const element = target.closest('.tree-row');
    const row = this.pool.find((candidate) => candidate.root === element);
    if (row === undefined || row.position < 0) return null;
    return { position: row.position, caret: target.closest('.tree-caret') !== null };
  }
}
