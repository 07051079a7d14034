/* timeline.js - who works when? A lane a stage, in it a row a layer, a bar a batch; what is empty is idle. */

import { getJson, Problem, runPath } from '../lib/api.js';
import { Picture } from '../lib/canvas.js';
import { element, say, setText } from '../lib/dom.js';
import { Foot } from '../lib/figures.js';
import { count, percent } from '../lib/format.js';
import { Refresh } from '../lib/refresh.js';
import { drawLanes, lanesHeight, LEFT } from './timeline_lanes.js';

/**
 * @typedef {import('./state.js').Section} Section
 * @typedef {{stage: number, layer: number, kind: string, step: number, begin: number, end: number}} Span ms
 * @typedef {{stage: number, name: string, layers: number[], busy: number}} Lane busy: share of the window, 0 to 1
 * @typedef {{lanes: Lane[], spans: Span[], from: number, to: number}} Timeline ms; the spans of the window
 */

const EVERY = 1000; /* ms between two looks while it trains */

/** The spans of a trace. @param {any} trace @returns {{spans: Span[], names: Map<number, string>}} */
function readTrace(trace) {
    /** @type {Span[]} */
    const spans = [];
    /** @type {Map<number, string>} */
    const names = new Map();
    for (const { ph, name, cat, ts, dur, tid, args } of trace.traceEvents) {
        if (ph === 'M' && name === 'thread_name') names.set(tid, args.name);
        if (ph !== 'X') continue;
        const layer = Number(/^layer (\d+)/.exec(name)?.[1] ?? 0);
        spans.push({ stage: tid, layer, kind: cat, step: args.step, begin: ts / 1000, end: (ts + dur) / 1000 });
    }
    return { spans, names };
}

/** How much of a window these spans take, where they overlap once. @param {Span[]} spans @param {number} from
 * @param {number} to */
function busyShare(spans, from, to) {
    let busy = 0;
    let until = from;
    for (const { begin, end } of spans.toSorted((a, b) => a.begin - b.begin)) {
        busy += Math.max(0, Math.min(end, to) - Math.max(begin, until));
        until = Math.max(until, end);
    }
    return to > from ? busy / (to - from) : 0;
}

/**
 * The newest `span` seconds of a trace; 0: all of it.
 * @param {any} trace
 * @param {number} span
 * @returns {Timeline}
 */
function windowOf(trace, span) {
    const { spans, names } = readTrace(trace);
    const to = Math.max(0, ...spans.map(({ end }) => end));
    const first = Math.min(to, ...spans.map(({ begin }) => begin));
    const from = span > 0 ? Math.max(first, to - span * 1000) : first;
    const seen = spans.filter(({ end }) => end > from);
    const lanes = [...names].sort(([a], [b]) => a - b).map(([stage, name]) => {
        const own = spans.filter((each) => each.stage === stage);
        const layers = [...new Set(own.map(({ layer }) => layer))].sort((a, b) => a - b);
        return { stage, name, layers, busy: busyShare(own, from, to) };
    });
    return { lanes, spans: seen, from, to };
}

/** @implements {Section} */
export class Pipeline {
    /** @type {any} */ #trace = null;
    /** @type {Timeline | null} */ #timeline = null;

    /** @param {import('./state.js').Live} live */
    constructor(live) {
        const node = element('timeline');
        this.live = live;
        this.span = /** @type {HTMLSelectElement} */ (element('timeline-span'));
        this.changed = live.painter.add(node, () => this.#paint());
        this.picture = new Picture(element('timeline-lanes'), {
            title: () => `${live.run?.name}: who works when`,
            lines: [
                { label: 'trains', colour: '--train', block: true },
                { label: 'evaluates or predicts', colour: '--test', block: true },
            ],
            height: () => (this.#timeline ? lanesHeight(this.#timeline) : 0),
            draw: (context, width) => this.#timeline && drawLanes(context, width, this.#timeline),
        });
        this.picture.canvas.addEventListener('mousemove', (event) => this.#point(event));
        this.picture.canvas.addEventListener('mouseleave', () => this.#describe());
        this.foot = new Foot({
            what: 'timeline',
            file: () => `run-${live.id}-timeline`,
            figures: () => this.#figures(),
            picture: () => this.#timeline && this.picture,
        });
        node.append(this.foot.node);
        this.refresh = new Refresh({
            every: EVERY,
            seen: () => live.painter.isSeen(node) && live.id > 0,
            moving: () => live.run?.state === 'running',
            ask: () => this.#ask(),
        });
        this.span.addEventListener('change', () => live.look({ span: Number(this.span.value) }));
    }

    clear() {
        this.#trace = this.#timeline = null;
        /** @type {HTMLAnchorElement} */ (element('timeline-link')).href = `${runPath(this.live.id)}/timeline`;
        this.refresh.stale();
        this.changed();
    }

    /** @param {import('../lib/api.js').Run | null} before */
    run(before) {
        if (before?.state !== this.live.run?.state) this.refresh.stale();
        this.changed();
    }

    view() {
        this.#cut();
        this.changed();
    }

    /** @returns {Promise<boolean>} */
    async #ask() {
        const { id } = this.live;
        try {
            const trace = await getJson(`${runPath(id)}/timeline`);
            if (id !== this.live.id) return false;
            this.#trace = trace;
            say(element('timeline-error'), null);
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            if (problem.status === 0 || problem.status === 503) return false;
            say(element('timeline-error'), problem.message);
        }
        this.#cut();
        this.changed();
        return true;
    }

    #cut() {
        const timeline = this.#trace && windowOf(this.#trace, this.live.view.span);
        this.#timeline = timeline?.spans.length ? timeline : null;
    }

    #paint() {
        const { view } = this.live;
        this.refresh.look();
        this.span.value = String(view.span);
        if (this.span.value === '') this.span.value = '0';
        const there = !!this.#timeline;
        element('timeline-lanes').hidden = this.foot.node.hidden = !there;
        say(element('timeline-empty'), there ? null : 'It is known while the run trains, and for a while after.');
        this.picture.draw();
        this.#describe();
        this.foot.changed();
    }

    #describe() {
        const lanes = this.#timeline?.lanes ?? [];
        const share = lanes.reduce((sum, { busy }) => sum + busy, 0) / Math.max(1, lanes.length);
        setText(element('timeline-at'), lanes.length ? `${percent(share, 0)} of the time at work` : '');
    }

    /** @param {MouseEvent} event */
    #point({ offsetX }) {
        const timeline = this.#timeline;
        if (!timeline) return;
        const { from, to, spans } = timeline;
        const time = from + ((offsetX - LEFT) / (this.picture.canvas.clientWidth - LEFT)) * (to - from);
        const here = spans.filter(({ begin, end }) => begin <= time && time < end);
        const texts = here.map(
            ({ layer, kind, step, begin, end }) => `layer ${layer} ${kind}, step ${count(step)}, ${(end - begin).toFixed(2)} ms`,
        );
        setText(element('timeline-at'), time < from ? '' : texts.join('; ') || 'nobody works');
    }

    /** @returns {import('../lib/figures.js').Figures | null} */
    #figures() {
        if (!this.#timeline) return null;
        const { spans, from } = this.#timeline;
        const sorted = spans.toSorted((a, b) => a.begin - b.begin);
        return {
            caption: 'Who worked when, newest first',
            columns: [
                { name: 'stage', title: 'Stage', values: sorted.map(({ stage }) => stage) },
                { name: 'layer', title: 'Layer', values: sorted.map(({ layer }) => layer) },
                { name: 'kind', title: 'Work', values: sorted.map(({ kind }) => kind) },
                { name: 'step', title: 'Step', values: sorted.map(({ step }) => step), text: count },
                {
                    name: 'begin_ms',
                    title: 'From, ms',
                    values: sorted.map(({ begin }) => begin - from),
                    text: (value) => value.toFixed(2),
                },
                {
                    name: 'duration_ms',
                    title: 'Takes, ms',
                    values: sorted.map(({ begin, end }) => end - begin),
                    text: (value) => value.toFixed(2),
                },
            ],
        };
    }
}
