// SPDX-License-Identifier: Apache-2.0
//
// The names beside the bars, and at the same time what a screen reader gets of the waterfall: the
// rows on screen as an ARIA treegrid. A fixed pool of elements is moved and refilled while scrolling;
// an element is touched only when it gets another row. Next: pages/trace/waterfall_view.tsx.
import { kRowHeight } from '../../draw/waterfall';
import {
  kFlagCopy, kFlagErrorOrigin, kFlagFollows, kFlagLinks, kFlagNoTime, kFlagOrphan, kLabelDescription, type TraceColumns,
} from '../../model/trace_columns';
import { formatCount, formatDuration, formatShift, plural } from '../../model/units';
import { kContext } from '../../model/visible_rows';
import { kMarks } from './marks';
import type { TraceState } from './trace_state';

const kIndentMost = 12;
const kIndentLeast = 4;
const kIndentShare = 0.36; // of the width goes to the indents at most: what is deeper says its level

interface RowElement {
  root: HTMLDivElement;
  indent: HTMLSpanElement;
  level: HTMLSpanElement; // beyond the last indent
  caret: HTMLSpanElement;
  dot: HTMLElement;
  text: HTMLSpanElement;
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
  const level = document.createElement('span');
  level.className = 'tree-level';
  const caret = document.createElement('span');
  caret.className = 'tree-caret';
  caret.setAttribute('aria-hidden', 'true');
  const dot = document.createElement('i');
  dot.className = 'dot';
  const text = document.createElement('span');
  text.className = 'name-pair';
  const run = document.createTextNode('');
  const runBox = document.createElement('b');
  runBox.append(run);
  const service = document.createTextNode('');
  const serviceBox = document.createElement('span');
  serviceBox.className = 'dim';
  serviceBox.append(service);
  const operation = document.createTextNode('');
  const operationBox = document.createElement('b');
  operationBox.append(operation);
  text.append(serviceBox, ' ', operationBox);
  const marks = document.createElement('span');
  marks.className = 'tree-marks';
  name.append(indent, level, caret, dot, runBox, text, marks);
  const facts = document.createTextNode('');
  const factsCell = document.createElement('span');
  factsCell.setAttribute('role', 'gridcell');
  factsCell.className = 'unseen';
  factsCell.append(facts);
  root.append(name, factsCell);
  return { root, indent, level, caret, dot, text, run, service, name: operation, marks, facts, position: -1 };
}

export class TreeGrid {
  private readonly pool: RowElement[] = [];
  private readonly body: HTMLDivElement;
  private columns: TraceColumns | null = null;
  private drawnVersion = -1;
  private drawnWidth = 0;
  private step = kIndentMost; // px a level
  private deepest = 0; // levels that have an indent
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
    this.columns = columns;
    this.fitIndents();
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
    const strong = this.state.strongPath.value;
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
      const run = rows.runs[position]!;
      const off = strong && !(run > 0 ? columns.hasPiece(row, columns.foldEnd[row]!) : columns.isCritical(row));
      this.paintState(element, isSelected, position === hovered, this.state.foundMarks[row] === 1, off);
    }
    this.grid.setAttribute('aria-rowcount', String(rows.count));
    if (active === '') this.grid.removeAttribute('aria-activedescendant');
    else this.grid.setAttribute('aria-activedescendant', active);
  }

  // A narrow tree has narrow indents, and no more of them than leave room for a name.
  private fitIndents(): void {
    const width = this.grid.clientWidth;
    if (width === this.drawnWidth) return;
    this.drawnWidth = width;
    this.drawnVersion = -1;
    this.step = Math.max(kIndentLeast, Math.min(kIndentMost, Math.floor(width / 34)));
    this.deepest = Math.max(1, Math.floor((width * kIndentShare) / this.step));
    this.grid.style.setProperty('--step', `${this.step}px`);
  }

  private paintState(element: RowElement, selected: boolean, hovered: boolean, found: boolean, off: boolean): void {
    const { root } = element;
    root.classList.toggle('selected', selected);
    root.classList.toggle('hovered', hovered);
    root.classList.toggle('found', found);
    root.classList.toggle('off-path', off);
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
    const depth = columns.depth[row]!;
    element.indent.style.width = `${Math.min(depth, this.deepest) * this.step}px`;
    const level = depth > this.deepest ? formatCount(depth + 1) : '';
    if (element.level.textContent !== level) element.level.textContent = level;
    element.level.title = level === '' ? '' : `level ${level}`;
    const opens = run > 0 || columns.hasChildren(row);
    const open = this.state.isOpen(position);
    if (opens) root.setAttribute('aria-expanded', String(open));
    else root.removeAttribute('aria-expanded');
    element.caret.className = opens ? `tree-caret ${open ? 'open' : 'closed'}` : 'tree-caret';
    element.dot.style.background = columns.colours.of(columns.serviceOf(row));
    element.run.data = run > 0 ? `${formatCount(run)} \u00d7 ` : '';
    const sameService = columns.parent[row]! >= 0 && columns.service[columns.parent[row]!] === columns.service[row];
    element.service.data = sameService ? '' : columns.serviceOf(row);
    element.name.data = columns.nameOf(row);
    element.text.title = run > 0
      ? `${plural(run, 'call')} alike, one after the other: ${columns.serviceOf(row)} ${columns.nameOf(row)}; click to show each`
      : `${columns.serviceOf(row)} ${columns.nameOf(row)}`;
    element.facts.data = run > 0 ? this.describeRun(row, run) : columns.labelOf(kLabelDescription, row, this.describe);
    this.fillMarks(element.marks, row, run, columns);
  }

  private readonly describe = (row: number): string => {
    const columns = this.columns!;
    const flags = columns.flags[row]!;
    const shift = columns.shiftOf(row);
    const parts = [columns.serviceOf(row)];
    if (columns.hasTime(row)) {
      parts.push(`starts at ${formatDuration(columns.offsetOf(row))}`, `takes ${formatDuration(columns.duration[row]!)}`);
    } else {
      parts.push('has no time');
    }
    if (columns.isCritical(row)) parts.push(`${formatDuration(columns.critical[row]!)} on the critical path`);
    if (shift !== 0) parts.push(`moved by ${formatShift(shift)}`);
    if ((flags & kFlagFollows) !== 0) parts.push('its parent does not wait for it');
    if ((flags & kFlagCopy) !== 0) parts.push('another span has its id');
    if (columns.isError(row)) parts.push('error');
    return parts.join(', ');
  };

  private describeRun(row: number, run: number): string {
    const columns = this.columns!;
    const spans = columns.foldEnd[row]! - row;
    const errors = columns.errorsIn(row, columns.foldEnd[row]!);
    return `${plural(run, 'call')} alike of ${columns.serviceOf(row)}${spans > run ? `, ${plural(spans, 'span')} with all below them` : ''}${errors > 0 ? `, ${plural(errors, 'error')}` : ''}`;
  }

  private fillMarks(box: HTMLSpanElement, row: number, run: number, columns: TraceColumns): void {
    const flags = columns.flags[row]!;
    const errors = run > 0 ? columns.errorsIn(row, columns.foldEnd[row]!) : columns.isError(row) ? 1 : 0;
    const shift = columns.shiftOf(row);
    const quiet = errors === 0 && (run > 0 || (columns.logs[row] === 0 && columns.events[row] === 0 && flags === 0 && shift === 0));
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
        run > 0 ? `${plural(errors, 'span')} with errors in this line` : origin ? 'an error began here' : 'error');
    }
    if (run === 0) {
      if ((flags & kFlagOrphan) !== 0) add('mark', kMarks.orphan, 'the parent of this span has not arrived');
      if ((flags & kFlagFollows) !== 0) add('mark', kMarks.follows, 'follows from its parent, which does not wait for it');
      if ((flags & kFlagCopy) !== 0) add('mark', kMarks.copy, 'another span of this trace has the same id: it stands for this one in own time and critical path');
      if ((flags & kFlagNoTime) !== 0) add('mark', kMarks.noTime, 'no start was given: the span is in no plot');
      if (shift !== 0) add('mark', kMarks.moved, `moved by ${formatShift(shift)}: its clock disagrees with its caller's`);
      if ((flags & kFlagLinks) !== 0) add('mark', kMarks.links, 'has links to other spans');
      const logs = columns.logs[row]! + columns.events[row]!;
      if (logs > 0) {
        add('mark mark-logs', `${kMarks.logs} ${formatCount(logs)}`,
          `${plural(columns.logs[row]!, 'log line')}, ${plural(columns.events[row]!, 'event')}: click to read them`);
      }
    }
    box.replaceChildren(...parts);
  }

  // The row of an element that was clicked, and whether on its caret.
  hit(target: Element): { position: number; caret: boolean; logs: boolean } | null {
    const element = target.closest('.tree-row');
    const row = this.pool.find((candidate) => candidate.root === element);
    if (row === undefined || row.position < 0) return null;
    return { position: row.position, caret: target.closest('.tree-caret') !== null, logs: target.closest('.mark-logs') !== null };
  }
}
