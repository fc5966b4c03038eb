// SPDX-License-Identifier: Apache-2.0
//
// The time that a search looks at: presets, a typed length, two moments, or all time.
import { useEffect, useState } from 'preact/hooks';
import {
  describeRange, fromLocalInput, kRangePresets, rangeBounds, sameRange, toLocalInput, type TimeRange,
} from '../model/time_range';
import { parseDuration } from '../model/units';
import { Icon } from './icon';
import { useMenu } from './use_menu';

interface Props {
  range: TimeRange;
  onRange: (range: TimeRange) => void;
}

function initialMoments(range: TimeRange): [string, string] {
  const now = Date.now();
  if (range.kind === 'fixed') return [toLocalInput(range.startNs), toLocalInput(range.endNs)];
  const start = rangeBounds(range, now).start ?? String((now - 3_600e3) * 1e6);
  return [toLocalInput(BigInt(start)), toLocalInput(BigInt(now) * 1_000_000n)];
}

export function RangePicker({ range, onRange }: Props) {
  const { open, setOpen, box, onKeyDown } = useMenu();
  const [moments, setMoments] = useState(initialMoments(range));
  const [typed, setTyped] = useState('');
  useEffect(() => {
    if (!open) return;
    setMoments(initialMoments(range));
    setTyped('');
  }, [open]);
  const choose = (next: TimeRange) => {
    setOpen(false);
    onRange(next);
  };
  const start = fromLocalInput(moments[0]);
  const end = fromLocalInput(moments[1]);
  const valid = start !== null && end !== null && end > start;
  return (
    <div class="menu range-picker" ref={box} onKeyDown={onKeyDown}>
      <button type="button" class="button" aria-expanded={open} aria-haspopup="dialog"
        onClick={() => setOpen(!open)}>
        {describeRange(range)} <Icon name="down" />
      </button>
      {open && (
        <div class="menu-panel range-menu" role="dialog" aria-label="Time range">
          <div class="range-presets">
            {kRangePresets.map((text) => (
              <button key={text} type="button" class="button small"
                aria-pressed={sameRange(range, { kind: 'last', text })}
                onClick={() => choose({ kind: 'last', text })}>{text}</button>
            ))}
            <button type="button" class="button small" aria-pressed={range.kind === 'all'}
              onClick={() => choose({ kind: 'all' })}>all</button>
          </div>
          <form class="range-typed" onSubmit={(event) => {
            event.preventDefault();
            if (parseDuration(typed) !== null) choose({ kind: 'last', text: typed.trim().replace(/\s+/g, '') });
          }}>
            <label for="range-last">Last</label>
            <input id="range-last" class="field small" type="text" placeholder="90m, 3d" value={typed}
              aria-invalid={typed !== '' && parseDuration(typed) === null}
              onInput={(event) => setTyped(event.currentTarget.value)} />
          </form>
          <form class="range-moments" onSubmit={(event) => {
            event.preventDefault();
            if (valid) choose({ kind: 'fixed', startNs: start, endNs: end });
          }}>
            <label for="range-start">From</label>
            <input id="range-start" class="field small" type="datetime-local" step="1" value={moments[0]}
              onInput={(event) => setMoments([event.currentTarget.value, moments[1]])} />
            <label for="range-end">To</label>
            <input id="range-end" class="field small" type="datetime-local" step="1" value={moments[1]}
              aria-invalid={!valid} onInput={(event) => setMoments([moments[0], event.currentTarget.value])} />
            <button type="submit" class="button small" disabled={!valid}>Use these</button>
          </form>
        </div>
      )}
    </div>
  );
}
