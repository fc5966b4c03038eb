// SPDX-License-Identifier: Apache-2.0
//
// The form beside the TraceQL line. What is filled in here is written there, and the other way round
// as long as the line is a plain conjunction. What is filled in wrong is in no line: its field says
// so, and nothing is searched without it. Next: model/query_form.ts, model/form_complaints.ts.
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { operationNames, serviceNames } from '../../api/names';
import { durationComplaint, tagsComplaint } from '../../model/form_complaints';
import {
  emptyForm, formatTags, formToQuery, parseTags, queryToForm, type QueryForm,
} from '../../model/query_form';

interface Props {
  query: string;
  limit: number;
  onQuery: (query: string) => void;
  onRun: (query: string) => void;
  onLimit: (limit: number) => void;
  onWrong: (fieldId: string) => void; // the first field that is filled in wrong, "" for none
}

function Complaint({ id, text }: { id: string; text: string }) {
  return text === '' ? null : <p id={`${id}-wrong`} class="field-wrong" role="alert">{text}</p>;
}

function described(id: string, complaint: string) {
  return { id, 'aria-invalid': complaint !== '', 'aria-describedby': complaint === '' ? undefined : `${id}-wrong` };
}

// Options stay on offer while typing, but any text may be typed: a name can be younger than the list.
function NameField(props: {
  id: string; label: string; value: string; any: string; names: readonly string[];
  onName: (name: string, picked: boolean) => void;
}) {
  return (
    <div class="form-row">
      <label for={props.id}>{props.label}</label>
      <input id={props.id} class="field small" type="text" list={`${props.id}-names`} value={props.value}
        placeholder={props.any} autocomplete="off" spellcheck={false}
        onInput={(event) => {
          const name = event.currentTarget.value;
          props.onName(name, props.names.includes(name));
        }} />
      <datalist id={`${props.id}-names`}>
        {props.names.map((name) => <option key={name} value={name} />)}
      </datalist>
    </div>
  );
}

function DurationPair(props: {
  id: string; label: string; low: string; high: string; onChange: (low: string, high: string) => void;
}) {
  const low = durationComplaint(props.low);
  const high = durationComplaint(props.high);
  return (
    <fieldset class="form-row">
      <legend>{props.label}</legend>
      <div class="pair">
        <input class="field small" type="text" value={props.low} placeholder="from" aria-label={`${props.label} at least`}
          {...described(`${props.id}-from`, low)} title="for example 100ms, 1.5s, 2m"
          onInput={(event) => props.onChange(event.currentTarget.value, props.high)} />
        <input class="field small" type="text" value={props.high} placeholder="to" aria-label={`${props.label} at most`}
          {...described(`${props.id}-to`, high)} title="for example 100ms, 1.5s, 2m"
          onInput={(event) => props.onChange(props.low, event.currentTarget.value)} />
      </div>
      <Complaint id={`${props.id}-from`} text={low} />
      <Complaint id={`${props.id}-to`} text={high} />
    </fieldset>
  );
}

// The id of the first field, from above, that is filled in wrong.
function firstWrong(form: QueryForm, tags: string): string {
  const complaints: [id: string, text: string][] = [
    ['span-duration-from', durationComplaint(form.spanMin)], ['span-duration-to', durationComplaint(form.spanMax)],
    ['trace-duration-from', durationComplaint(form.traceMin)], ['trace-duration-to', durationComplaint(form.traceMax)],
    ['form-tags', tagsComplaint(tags)],
  ];
  return complaints.find(([, text]) => text !== '')?.[0] ?? '';
}

export function QueryPanel({ query, limit, onQuery, onRun, onLimit, onWrong }: Props) {
  const parsed = queryToForm(query);
  // The text as typed, which may be on its way to something ("10" before "10ms").
  const [form, setForm] = useState<QueryForm>(parsed ?? emptyForm());
  const [tags, setTags] = useState(formatTags(parsed?.tags ?? []));
  const [services, setServices] = useState<readonly string[]>([]);
  const [operations, setOperations] = useState<readonly string[]>([]);
  useEffect(() => {
    if (parsed === null || formToQuery(parsed) === formToQuery(form)) return;
    setForm(parsed);
    const typed = parseTags(tags);
    if (typed === null || formatTags(parsed.tags) !== formatTags(typed)) setTags(formatTags(parsed.tags));
  }, [query]);
  const wrong = parsed === null ? '' : firstWrong(form, tags);
  useLayoutEffect(() => onWrong(wrong), [wrong]);
  useEffect(() => {
    serviceNames().then(setServices, () => setServices([]));
  }, [query]);
  useEffect(() => {
    let here = true;
    operationNames(form.service).then(
      (list) => here && setOperations([...new Set(list.map((operation) => operation.name))]),
      () => here && setOperations([]),
    );
    return () => { here = false; };
  }, [form.service]);

  const change = (part: Partial<QueryForm>, run = false) => {
    const next = { ...form, ...part };
    setForm(next);
    const line = formToQuery(next);
    onQuery(line);
    if (run) onRun(line);
  };
  const tagsWrong = tagsComplaint(tags);
  return (
    <aside class="query-panel" aria-label="Search form">
      <form onSubmit={(event) => { event.preventDefault(); onRun(formToQuery(form)); }}>
        <fieldset class="form-fields" disabled={parsed === null}>
          <legend class="unseen">Search form</legend>
        <NameField id="form-service" label="Service" any="any service" value={form.service} names={services}
          onName={(service, picked) => change({ service }, picked)} />
        <NameField id="form-operation" label="Operation" any="any operation" value={form.operation} names={operations}
          onName={(operation, picked) => change({ operation }, picked)} />
        <div class="form-row">
          <label for="form-status">Status</label>
          <select id="form-status" class="field small" value={form.status}
            onChange={(event) => change({ status: event.currentTarget.value }, true)}>
            <option value="">any</option>
            <option value="error">error</option>
            <option value="ok">ok</option>
            <option value="unset">unset</option>
          </select>
        </div>
        <DurationPair id="span-duration" label="Span duration" low={form.spanMin} high={form.spanMax}
          onChange={(spanMin, spanMax) => change({ spanMin, spanMax })} />
        <DurationPair id="trace-duration" label="Trace duration" low={form.traceMin} high={form.traceMax}
          onChange={(traceMin, traceMax) => change({ traceMin, traceMax })} />
        <div class="form-row">
          <label for="form-tags">Tags</label>
          <input {...described('form-tags', tagsWrong)} class="field small mono" type="text" value={tags} spellcheck={false} autocomplete="off"
            placeholder="http.route=/cart retries>2"
            title='key=value, key!=value, key>5, key=~"regex"; values with spaces in quotes'
            onInput={(event) => {
              const text = event.currentTarget.value;
              setTags(text);
              const found = parseTags(text);
              if (found !== null) change({ tags: found });
            }} />
          <Complaint id="form-tags" text={tagsWrong} />
        </div>
        <div class="form-row">
          <label for="form-limit">Traces a page</label>
          <select id="form-limit" class="field small" value={String(limit)}
            onChange={(event) => {
              const chosen = Number(event.currentTarget.value);
              event.currentTarget.value = String(limit); // until it is searched with
              onLimit(chosen);
            }}>
            {[...new Set([20, 50, 100, 500, 2000, limit])].sort((a, b) => a - b)
              .map((count) => <option key={count} value={String(count)}>{count}</option>)}
          </select>
        </div>
        <div class="form-buttons">
          <button type="submit" class="button small primary">Search</button>
          <button type="button" class="button small" onClick={() => {
            setForm(emptyForm());
            setTags('');
            onWrong('');
            onQuery('{}');
            onRun('{}');
          }}>Clear</button>
        </div>
        </fieldset>
      </form>
      {parsed === null && (
        <div class="form-aside" role="status">
          The line says more than the form can show.
          <button type="button" class="button small" onClick={() => onQuery(formToQuery(form))}>Back to the form</button>
        </div>
      )}
    </aside>
  );
}
