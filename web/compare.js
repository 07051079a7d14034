/* compare.js - the page that lays several runs over each other. Here the parts meet. */

import { addressOf, readAddress } from './compare/address.js';
import { Beside } from './compare/beside.js';
import { Chosen, signNode, signOf } from './compare/chosen.js';
import { Overlay } from './compare/overlay.js';
import { architectures, settings } from './compare/tables.js';
import { getJson, Problem, runPath } from './lib/api.js';
import { Connection } from './lib/connection.js';
import { element, say, setText } from './lib/dom.js';
import { clock, epochs, figure, percent } from './lib/format.js';
import './lib/page.js';
import { Refresh } from './lib/refresh.js';
import { CLOCK_STEPS, decades } from './lib/scale.js';

/** @typedef {import('./compare/address.js').Axis} Axis */
/** @typedef {import('./compare/tables.js').Comparison} Comparison */
/** @typedef {import('./compare/tables.js').Compared} Compared */

const EVERY = 2000; /* ms between two looks at runs that train */
const MOST = 32; /* runs that the server compares */

const view = readAddress();
/** @type {Comparison} */
let comparison = { runs: [], settings: [] };
let frame = 0;

const chosen = new Chosen({
    add: (id) => choose([...view.runs, id]),
    leave: (id) => choose(view.runs.filter((each) => each !== id)),
});
const beside = new Beside((ids) => choose(ids));
const errors = { epochs: new Overlay(zoomer('epochs')), seconds: new Overlay(zoomer('seconds')) };
/** @type {Overlay[]} */
const gaps = [];
const refresh = new Refresh({
    every: EVERY,
    seen: () => !document.hidden,
    moving: () => comparison.runs.some(({ state }) => state === 'running' || state === 'queued'),
    ask,
});
const connection = new Connection({
    run: (run) => {
        if (view.runs.includes(run.id)) refresh.stale();
    },
    deleted: gotDeleted,
    connected: () => {
        refresh.stale();
        beside.look();
    },
});

/* --- what is read --- */

/** @returns {Promise<boolean>} whether the server answered */
async function ask() {
    const wanted = view.runs.join();
    if (!wanted) {
        comparison = { runs: [], settings: [] };
        draw();
        return true;
    }
    try {
        const found = await getJson(`/api/v1/compare?runs=${wanted}`);
        if (wanted !== view.runs.join()) return true;
        comparison = found;
        draw();
        return true;
    } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        if (problem.status === 404) await leaveMissing();
        else if (problem.status > 0) say(element('compare-error'), problem.message);
        return problem.status > 0;
    }
}

/** Some of the runs are not there: say which, and compare the others. */
async function leaveMissing() {
    const there = await Promise.all(
        view.runs.map((id) =>
            getJson(runPath(id)).then(
                () => true,
                (problem) => problem.status !== 404,
            ),
        ),
    );
    const gone = view.runs.filter((_, i) => !there[i]);
    choose(view.runs.filter((_, i) => there[i]));
    if (gone.length) say(element('compare-error'), `There is no run ${gone.join(', no run ')} any more.`);
}

/** Somebody deleted a run: the others stay. @param {number} id */
function gotDeleted(id) {
    if (!view.runs.includes(id)) return;
    choose(view.runs.filter((each) => each !== id));
    say(element('compare-error'), `Run ${id} was deleted.`);
}

/** @param {number[]} ids */
function choose(ids) {
    const unique = [...new Set(ids)];
    say(
        element('compare-error'),
        unique.length > MOST ? `At most ${MOST} runs are compared; the first ${MOST} stay.` : null,
    );
    view.runs = unique.slice(0, MOST);
    view.zoom = { epochs: null, seconds: null };
    keepAddress();
    refresh.stale();
}

function keepAddress() {
    const address = addressOf(view);
    history.replaceState(null, '', address);
    setText(element('curl-line'), `curl '${location.origin}/api/v1/compare?runs=${view.runs.join() || '1,2'}'`);
}

/* --- what is shown --- */

/** @param {Axis} axis @returns {(range: [number, number] | null) => void} */
function zoomer(axis) {
    return (range) => {
        view.zoom[axis] = range;
        keepAddress();
        draw();
    };
}

/** @type {Record<Axis, {xName: string, xText: (value: number) => string, steps: number[]}>} */
const AXES = {
    epochs: { xName: 'epoch', xText: epochs, steps: decades(0, 7) },
    seconds: { xName: 'seconds', xText: clock, steps: CLOCK_STEPS },
};

/** @param {Compared} run @param {Axis} axis @param {(number | null)[]} y */
const lineOf = ({ series }, axis, y) => ({ x: axis === 'epochs' ? series.epochs : series.elapsed, y });

/** A run without this layer. */
const NOWHERE = /** @type {Compared} */ (/** @type {unknown} */ ({ series: { epochs: [], elapsed: [] } }));

const signs = () => comparison.runs.map(({ id }, place) => signOf(place, `run ${id}`));

/** @param {Axis} axis */
function drawErrors(axis) {
    errors[axis].draw(
        {
            ...AXES[axis],
            id: `error-${axis}`,
            title: axis === 'epochs' ? 'Test error by epoch' : 'Test error by seconds of training',
            yText: (value) => percent(value),
            axisText: (value) => `${Number((100 * value).toPrecision(4))} %`,
            group: `compare-error-${axis}`,
            empty: 'Errors come when an epoch has been evaluated.',
        },
        signs(),
        comparison.runs.map((run) => lineOf(run, axis, run.series.test_error)),
        { log: view.log, zoom: view.zoom[axis] },
    );
}

/** @param {number} layer */
function drawGap(layer) {
    gaps[layer].draw(
        {
            ...AXES[view.axis],
            id: `gap-${layer}`,
            title: `Goodness gap of layer ${layer}`,
            yText: figure,
            group: `compare-gap-${view.axis}`,
            empty: 'Gaps come with the first epoch.',
        },
        signs(),
        comparison.runs.map((run) => {
            const gap = run.series.gaps[layer];
            return lineOf(gap ? run : NOWHERE, view.axis, gap ?? []);
        }),
        { log: false, zoom: view.zoom[view.axis] },
    );
}

/** Draw in the next frame, however many things have changed. */
function draw() {
    if (!frame) frame = requestAnimationFrame(drawNow);
}

function drawNow() {
    frame = 0;
    const { runs } = comparison;
    const sign = (/** @type {number} */ id) => signNode(runs.findIndex((run) => run.id === id));
    const layers = Math.max(0, ...runs.map(({ series }) => series.gaps.length));

    element('comparison').hidden = runs.length === 0;
    element('empty').hidden = view.runs.length > 0;
    chosen.draw(runs);
    if (!runs.length) return;
    element('architectures').replaceChildren(architectures(comparison, sign));
    element('settings').replaceChildren(settings(comparison, sign));
    drawErrors('epochs');
    drawErrors('seconds');
    while (gaps.length > layers) gaps.pop()?.destroy();
    while (gaps.length < layers) {
        gaps.push(new Overlay((range) => zoomer(view.axis)(range)));
        element('gap-cards').append(gaps[gaps.length - 1].node);
    }
    gaps.forEach((_, layer) => drawGap(layer));
    element('unzoom').hidden = !view.zoom.epochs && !view.zoom.seconds;
    for (const format of ['text', 'csv'])
        /** @type {HTMLAnchorElement} */ (element(`as-${format}`)).href =
            `/api/v1/compare?runs=${view.runs.join()}&format=${format}`;
}

function prepare() {
    const log = /** @type {HTMLInputElement} */ (element('log-scale'));
    const axis = /** @type {HTMLInputElement} */ (document.querySelector(`input[value="${view.axis}"]`));

    log.checked = view.log;
    axis.checked = true;
    log.addEventListener('change', () => {
        view.log = log.checked;
        keepAddress();
        draw();
    });
    element('gap-axis').addEventListener('change', (event) => {
        view.axis = /** @type {Axis} */ (/** @type {HTMLInputElement} */ (event.target).value);
        keepAddress();
        draw();
    });
    element('unzoom').addEventListener('click', () => {
        view.zoom = { epochs: null, seconds: null };
        keepAddress();
        draw();
    });
    element('error-cards').append(errors.epochs.node, errors.seconds.node);
    document.addEventListener('visibilitychange', () => refresh.look());
    keepAddress();
}

prepare();
connection.open();
