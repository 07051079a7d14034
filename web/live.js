/* live.js - the live page: one run, as it trains. Here the parts meet; what each does stands in live/ and lib/. */

import { addressOf, readAddress } from './lib/address.js';
import { getJson, postJson, Problem, runPath } from './lib/api.js';
import { element, say, setText } from './lib/dom.js';
import { Errors } from './live/errors.js';
import { Follower } from './lib/events.js';
import { Layers } from './live/layers.js';
import { Log } from './live/log.js';
import { Picker } from './live/picker.js';
import './lib/page.js';
import { changesText, isFinal, levelOf, titleOf } from './lib/run.js';
import { Series } from './lib/series.js';
import { StartDialog } from './live/start.js';
import { Status } from './live/status.js';
import { Zoom } from './lib/zoom.js';

/** @typedef {import('./lib/api.js').Run} Run */

const HIDDEN_REST = 5000; /* ms that a hidden tab keeps its stream: a browser has six connections for all tabs */
const HIDDEN_LOOK = 15000; /* ms between looks at a run from a hidden tab, for its title */

let { view } = readAddress();
/** @type {Run | null} */
let run = null;
let started = false; /* the list of runs was read */
let frame = 0;
let told = false; /* the run's newest state stands on the page */

const series = new Series();
const zoom = new Zoom(series, () => draw());
const layers = new Layers(element('layer-cards'), (range) => zoomTo(range));
const errors = new Errors(() => draw());
const log = new Log();
const picker = new Picker((id) => show(id, true));
const status = new Status((changed) => gotRun(changed));
const dialog = new StartDialog((begun) => {
    picker.update(begun);
    show(begun.id, true);
});

const follower = new Follower({
    run: gotRun,
    lastStep: () => series.last,
    points: gotPoints,
    epochs: gotEpochs,
    dropped,
    missing: (problem) => showMissing(problem.message),
    phase: showPhase,
});

/* --- what comes in --- */

/** @param {Run} changed */
function gotRun(changed) {
    picker.update(changed);
    if (!run && !follower.id && started) show(changed.id, false);
    if (changed.id !== follower.id) {
        showOther();
        return;
    }
    const before = run;
    run = changed;
    told = false;
    if (series.last > run.progress.step && run.state === 'running') run.progress.step = series.last;
    if (before?.state !== run.state) log.changed();
    showPart('run');
    draw();
}

/** @param {import('./lib/events.js').Points} points */
function gotPoints(points) {
    if (!series.append(points)) return;
    zoom.append(points);
    if (points.downsampled) series.coarse = true;
    if (view.zoom && !zoom.range) zoom.set(follower.id, view.zoom);
    if (run) run.progress.step = Math.max(run.progress.step, series.last);
    draw();
}

/** @param {import('./lib/api.js').EpochRow[]} rows */
function gotEpochs(rows) {
    errors.append(rows);
    if (rows.length) log.changed();
    draw();
}

/** @param {number} after */
function dropped(after) {
    series.cut(after);
    zoom.cut(after);
    errors.cut(after);
    log.changed();
    draw();
}

/* --- what is shown --- */

/** Show a run. @param {number} id @param {boolean} remember as a new page of the browser's history */
function show(id, remember) {
    if (id !== follower.id) {
        run = null;
        series.clear();
        errors.clear();
        layers.clear();
        if (remember) view.zoom = null;
        zoom.set(id, null);
        log.show(id);
        follower.follow(id);
    }
    keepAddress(remember);
    picker.mark(id);
    const known = picker.runs.get(id);
    if (known) gotRun(known);
    const csv = (/** @type {string} */ at, /** @type {string} */ what) => {
        /** @type {HTMLAnchorElement} */ (element(at)).href = `${runPath(id)}/${what}?format=csv`;
    };
    csv('points-csv', 'metrics');
    csv('errors-csv', 'epochs');
    setText(element('curl-line'), `curl ${location.origin}${runPath(id)}`);
    showOther();
}

/** @param {'run' | 'empty' | 'missing'} part */
function showPart(part) {
    for (const each of ['run', 'empty', 'missing']) element(each).hidden = each !== part;
    if (part !== 'run') document.title = 'Goodness';
}

/** @param {string} sentence */
function showMissing(sentence) {
    run = null;
    setText(element('missing-text'), sentence);
    setText(element('curl-line'), `curl ${location.origin}/api/v1/runs`);
    showPart('missing');
}

/** Say so when another run than the one shown holds the trainer. */
function showOther() {
    const other = picker.training;
    const there = other !== undefined && other.id !== follower.id && follower.id > 0;
    element('run-other').hidden = !there;
    if (!there) return;
    setText(element('run-other-text'), `Run ${other.id}, ${other.name}, is ${other.state} now.`);
    /** @type {HTMLAnchorElement} */ (element('run-other-link')).href = `/?run=${other.id}`;
}

/** Draw in the next frame, however many things have changed. */
function draw() {
    if (!frame && !document.hidden) frame = requestAnimationFrame(drawNow);
}

function drawNow() {
    frame = 0;
    if (!run) return;
    if (told) status.showProgress(run);
    else status.show(run);
    told = true;
    layers.draw(run, zoom.visible, view, zoom.rangeOn(view.axis));
    errors.draw(run, view.errorsLog);
    element('legend-level').hidden = levelOf(run, 0) === null;
    element('legend-changes').hidden = !run.changes.length;
    setText(element('changes-text'), changesText(run));
    element('unzoom-button').hidden = !zoom.range;
}

/** @param {[number, number] | null} range on the view's axis */
function zoomTo(range) {
    const steps = range ? zoom.inSteps(view.axis, range) : null;
    view.zoom = steps && steps[1] - steps[0] > 0 ? steps : null;
    zoom.set(follower.id, view.zoom);
    keepAddress(false);
    draw();
}

/** @param {boolean} remember */
function keepAddress(remember) {
    const address = addressOf(follower.id, view);
    if (remember && address !== location.pathname + location.search) history.pushState(null, '', address);
    else history.replaceState(null, '', address);
}

/* --- the connection --- */

/** @param {import('./lib/events.js').Phase} phase @param {number} waiting */
function showPhase(phase, waiting) {
    const texts = {
        connecting: 'Connecting',
        live: 'Live',
        lost: 'Reconnecting',
        gone: 'No connection',
        resting: 'Resting',
    };
    const gone = phase === 'gone';
    const seconds = Math.max(1, Math.round(waiting / 1000));
    const sentences = {
        lost: 'Connection lost. Trying again; nothing of the run is lost.',
        gone: `The Goodness server does not answer. This is what it last told; trying again every ${seconds} s.`,
    };
    const sentence = sentences[/** @type {'lost' | 'gone'} */ (phase)];
    const wasLost = !element('banner').hidden;

    element('link-state').dataset.phase = phase;
    setText(element('link-text'), texts[phase]);
    element('banner').hidden = !sentence;
    document.body.classList.toggle('stale', gone);
    if (sentence && !(gone && waiting === 0)) setText(element('banner-text'), sentence);
    if (sentence && !wasLost) setText(element('announce'), sentence);
    if (phase !== 'live') return;
    if (wasLost) setText(element('announce'), 'Connected again.');
    if (!started || wasLost) begin();
}

/** Read which runs there are, and show the one that the address asks for, or the newest. */
async function begin() {
    try {
        const runs = await picker.load();
        const { run: asked } = readAddress();
        started = true;
        if (follower.id) showOther();
        else if (asked !== null) await showAsked(asked);
        else if (runs.length) show((picker.training ?? runs[0]).id, false);
        else showEmpty();
    } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        setText(element('banner-text'), problem.message);
        element('banner').hidden = false;
    }
}

/** The address may name a run by number, or as latest or current. @param {string} asked */
async function showAsked(asked) {
    try {
        const found = await getJson(runPath(encodeURIComponent(asked)));
        picker.update(found);
        show(found.id, false);
    } catch (problem) {
        if (!(problem instanceof Problem) || problem.status === 0) throw problem;
        showMissing(problem.message);
    }
}

function showEmpty() {
    setText(element('curl-line'), `curl --json '{}' ${location.origin}/api/v1/runs`);
    showPart('empty');
}

/** A hidden tab gives its connection up after a while, and only looks now and then, for its title. */
function hiddenOrShown() {
    clearTimeout(hiddenOrShown.timer);
    if (!document.hidden) {
        if (follower.phase === 'resting') follower.connect();
        draw();
        return;
    }
    const look = async () => {
        follower.rest();
        hiddenOrShown.timer = setTimeout(look, HIDDEN_LOOK);
        if (!run || isFinal(run)) return;
        try {
            document.title = titleOf(await getJson(runPath(run.id)));
        } catch {
            /* Nobody looks: when somebody does, the connection is made and says what is wrong. */
        }
    };
    hiddenOrShown.timer = setTimeout(look, HIDDEN_REST);
}
/** @type {ReturnType<typeof setTimeout> | undefined} */
hiddenOrShown.timer = undefined;

/* --- what a person does --- */

function prepareView() {
    const axis = /** @type {HTMLInputElement | null} */ (document.querySelector(`input[value="${view.axis}"]`));
    const smoothing = /** @type {HTMLSelectElement} */ (element('smoothing'));

    if (axis) axis.checked = true;
    smoothing.value = String(view.smoothing);
    if (smoothing.value === '') smoothing.value = '0';
    /** @type {HTMLInputElement} */ (element('log-scale')).checked = view.log;
    /** @type {HTMLInputElement} */ (element('errors-log')).checked = view.errorsLog;
}

/** @param {(target: any) => void} change @param {string} id */
function onView(id, change) {
    element(id).addEventListener('change', ({ target }) => {
        change(target);
        keepAddress(false);
        draw();
    });
}

async function startFirst() {
    const button = /** @type {HTMLButtonElement} */ (element('empty-start'));
    button.disabled = true;
    try {
        const begun = await postJson('/api/v1/runs', {});
        picker.update(begun);
        show(begun.id, true);
    } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        say(element('empty-error'), [problem.message, ...problem.errors.map(({ detail }) => detail)].join(' '));
    }
    button.disabled = false;
}

/** @param {KeyboardEvent} event */
function key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    /* A field of a dialog closed this moment may still have the focus: it is not seen, so it takes nothing. */
    const taken =
        target.checkVisibility() &&
        target.closest('input, select, textarea, button, summary, a, dialog, [popover]');
    if (taken || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    /** @type {Record<string, () => void>} */
    const actions = {
        ' ': () => status.toggle(),
        n: () => dialog.open(),
        '/': () => picker.open(),
        '?': () => /** @type {HTMLDialogElement} */ (element('keys')).showModal(),
    };
    if (event.key in actions) {
        event.preventDefault();
        actions[event.key]();
    }
}

function prepare() {
    prepareView();
    onView('axis', (target) => (view.axis = target.value));
    onView('smoothing', (target) => (view.smoothing = Number(target.value)));
    onView('log-scale', (target) => (view.log = target.checked));
    onView('errors-log', (target) => (view.errorsLog = target.checked));
    element('unzoom-button').addEventListener('click', () => zoomTo(null));
    element('new-button').addEventListener('click', () => dialog.open());
    element('empty-start').addEventListener('click', startFirst);
    element('empty-settings').addEventListener('click', () => dialog.open({ unfold: true }));
    element('retry-button').addEventListener('click', () => follower.connect());
    element('keys-button').addEventListener('click', () =>
        /** @type {HTMLDialogElement} */ (element('keys')).showModal(),
    );
    document.addEventListener('keydown', key);
    document.addEventListener('visibilitychange', hiddenOrShown);
    window.addEventListener('popstate', () => {
        const asked = readAddress();
        view = asked.view;
        prepareView();
        if (asked.run) showAsked(asked.run);
    });
}

/** For tests and the curious, read only: what the page knows and has drawn. */
Object.defineProperty(window, 'goodness', {
    value: Object.freeze({
        get run() {
            return structuredClone(run);
        },
        /** The series as it is drawn now. */
        get points() {
            const { steps, epochs, elapsed, layers: columns } = zoom.visible;
            return structuredClone({ steps, epochs, elapsed, layers: columns });
        },
        get epochs() {
            return structuredClone(errors.rows);
        },
        get connection() {
            return follower.phase;
        },
    }),
});

prepare();
follower.connect();
