// SPDX-License-Identifier: Apache-2.0
//
// What the marks of the waterfall mean: those beside the names and those in the bars, drawn as there.
import type { ComponentChildren } from 'preact';
import type { TraceColumns } from '../../model/trace_columns';
import { Icon } from '../../parts/icon';
import { useMenu } from '../../parts/use_menu';
import { kMarks } from './marks';

function Sample({ children }: { children: ComponentChildren }) {
  return <svg width="46" height="16" viewBox="0 0 46 16" aria-hidden="true">{children}</svg>;
}

const kBar = { y: 3, height: 9 };

function Bars({ fill }: { fill: string }) {
  const rows: [sample: ComponentChildren, text: string][] = [
    [<rect x="1" width="44" {...kBar} fill={fill} />, 'a span, in its service\u2019s colour'],
    [<><rect x="1" width="44" {...kBar} fill={fill} opacity="0.36" /><rect x="1" width="10" {...kBar} fill={fill} /><rect x="34" width="11" {...kBar} fill={fill} /></>,
      'solid: at work itself; pale: waits for its children; \u201cown\u201d: long, and no child explains it'],
    [<><rect x="1" width="44" {...kBar} fill={fill} opacity="0.36" /><rect class="legend-ink" x="12" y="12" width="24" height="2" /></>, 'line below: on the critical path'],
    [<><rect class="legend-error" x="1" y="1" width="3" height="13" /><rect x="4" width="41" {...kBar} fill={fill} /></>, 'red edge: the span failed'],
    [<>{[1, 10, 19, 28, 37].map((x) => <rect key={x} x={x} width="6" {...kBar} fill={fill} />)}</>, 'dashed: its parent does not wait for it, or its id is taken'],
    [<>{[1, 12, 23, 34].map((x, index) => <rect key={x} x={x} width="11" {...kBar} fill={fill} opacity={0.3 + 0.2 * index} />)}</>,
      'shades: many spans in one line, the darker the more at once; red ticks where one failed'],
  ];
  return (
    <dl>
      {rows.map(([sample, text]) => <div key={text}><dt><Sample>{sample}</Sample></dt><dd>{text}</dd></div>)}
    </dl>
  );
}

const kNameMarks: readonly [mark: ComponentChildren, text: string][] = [
  [<span class="mark-error">{kMarks.error}</span>, 'error'],
  [<span class="mark-error origin">{kMarks.error}</span>, 'error that began here: no child failed'],
  [kMarks.moved, 'moved: its clock disagrees with its caller\u2019s'],
  [kMarks.orphan, 'orphan: its parent has not arrived'],
  [kMarks.follows, 'follows from its parent, which does not wait for it'],
  [kMarks.copy, 'another span of the trace has the same id'],
  [kMarks.noTime, 'has no time'],
  [kMarks.links, 'has links to other spans'],
  [`${kMarks.logs} 3`, 'log lines and events; a click shows them'],
  ['12 \u00d7', 'folded repeats: so many calls alike in one line'],
];

export function Legend({ columns }: { columns: TraceColumns }) {
  const { open, setOpen, box, onKeyDown } = useMenu();
  return (
    <div class="menu" ref={box} onKeyDown={onKeyDown}>
      <button type="button" class="button small" aria-expanded={open} aria-haspopup="dialog" onClick={() => setOpen(!open)}>
        Legend<Icon name="down" />
      </button>
      {open && (
        <div class="menu-panel legend" role="dialog" aria-label="Legend" tabIndex={-1}>
          <h2>In the bars</h2>
          <Bars fill={columns.colours.of(columns.header.rootService)} />
          <h2>Beside the names</h2>
          <dl>
            {kNameMarks.map(([mark, text]) => <div key={text}><dt class="legend-mark">{mark}</dt><dd>{text}</dd></div>)}
          </dl>
        </div>
      )}
    </div>
  );
}
