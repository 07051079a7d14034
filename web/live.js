/* live.js - the live page: one run, as it trains. Here the parts meet; what each does stands in live/ and lib/. */

import { readAddress } from './lib/address.js';
import { getJson, postJson, Problem, runPath } from './lib/api.js';
import { element, say, setText } from './lib/dom.js';
import { Follower } from './lib/events.js';
import { prepareKeys } from './lib/keys.js';
import './lib/page.js';
import { restWhileHidden } from './lib/rest.js';
import { isFinal, titleOf } from './lib/run.js';
import { showPhase, showTrouble } from './lib/banner.js';
import { Errors } from './live/errors.js';
import { Distributions } from './live/histograms.js';
import { later } from './live/later.js';
import { Layers } from './live/layers.js';
import { Log } from './live/log.js';
import { Picker } from './live/picker.js';
import { StartDialog } from './live/start.js';
import { Live } from './live/state.js';
import { Status } from './live/status.js';
import { prepareTools, showView } from './live/tools.js';

/** @typedef {import('./lib/api.js').Run} Run */

let started = false; /* the list of runs was read */

const live = new Live();
const status = new Status(live, gotRun);
const layers = new Layers(live);
const errors = new Errors(live);
live.sections.push(status, layers, new Distributions(live), errors, new Log(live));
later(live, element('confusion'), async () => new (await import('./live/confusion.js')).Confusions(live));
later(live, element('trial'), async () => new (await import('./live/trial.js')).Trial(live));
later(live, element('weights'), async () => new (await import('./live/weights.js')).WeightPictures(live));
later(live, element('knobs'), async () => new (await import('./live/knobs.js')).Knobs(live, gotRun));
later(live, element('timeline'), async () => new (await import('./live/timeline.js')).Pipeline(live));

const picker = new Picker((id) => show(id, true));
const dialog = new StartDialog((begun) => {
    picker.update(begun);
    show(begun.id, true);
});

const follower = new Follower({
    run: gotRun,
    lastStep: () => live.series.last,
    points: (points) => live.gotPoints(points),
    epochs: (rows) => live.gotEpochs(rows),
    histograms: (histograms) => live.gotHistograms(histograms),
    dropped: (after) => live.dropped(after),
    deleted: gotDeleted,
    missing: (problem) => showMissing(problem.message),
    phase: gotPhase,
});

/* --- what is shown --- */

/** @param {Run} changed */
function gotRun(changed) {
    picker.update(changed);
    if (!live.run && !live.id && started) show(changed.id, false);
    if (changed.id === live.id) {
        showPart('run');
        live.gotRun(changed);
    } else {
        showOther();
    }
}

/** Show a run. @param {number} id @param {boolean} remember as a new page of the browser's history */
function show(id, remember) {
    const another = id !== live.id;
    live.show(id, remember);
    if (another) follower.follow(id);
    picker.mark(id);
    const known = picker.runs.get(id);
    if (known) gotRun(known);
    /** @type {HTMLAnchorElement} */ (element('points-csv')).href = `${runPath(id)}/metrics?format=csv`;
    /** @type {HTMLAnchorElement} */ (element('errors-csv')).href = `${runPath(id)}/epochs?format=csv`;
    setText(element('curl-line'), `curl ${location.origin}${runPath(id)}`);
    showOther();
}

/** @param {'run' | 'empty' | 'missing'} part */
function showPart(part) {
    for (const each of ['run', 'empty', 'missing']) element(each).hidden = each !== part;
    if (part !== 'run') document.title = 'Goodness';
}

/** @param {string} sentence @param {string} [title] */
function showMissing(sentence, title = 'There is no such run') {
    live.lost();
    setText(element('missing-title'), title);
    setText(element('missing-text'), sentence);
    setText(element('curl-line'), `curl ${location.origin}/api/v1/runs`);
    showPart('missing');
}

/** Somebody deleted a run, in another window or by the REST interface. @param {number} id */
function gotDeleted(id) {
    const known = picker.runs.get(id);
    picker.remove(id);
    if (id === live.id) {
        const sentence = `Run ${id}${known ? `, ${known.name},` : ''} was deleted.`;
        showMissing(`${sentence} Its figures and its weights are gone.`, 'This run is gone');
        setText(element('announce'), sentence);
    }
    showOther();
}

/** Say so when another run than the one shown holds the trainer. */
function showOther() {
    const other = picker.training;
    const there = other !== undefined && other.id !== live.id && live.id > 0;
    element('run-other').hidden = !there;
    if (!there) return;
    setText(element('run-other-text'), `Run ${other.id}, ${other.name}, is ${other.state} now.`);
    /** @type {HTMLAnchorElement} */ (element('run-other-link')).href = `/?run=${other.id}`;
}

/* --- the connection --- */

/** @param {import('./lib/events.js').Phase} phase @param {number} waiting */
function gotPhase(phase, waiting) {
    const wasLost = showPhase(phase, waiting);
    if (phase === 'live' && (!started || wasLost)) begin();
}

/** Read which runs there are, and show the one that the address asks for, or the newest. */
async function begin() {
    try {
        const runs = await picker.load();
        const { run: asked } = readAddress();
        started = true;
        if (live.id) showOther();
        else if (asked !== null) await showAsked(asked);
        else if (runs.length) show((picker.training ?? runs[0]).id, false);
        else showEmpty();
    } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        showTrouble(problem.message);
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

/** Of a hidden tab whose stream rests: its title goes on. */
async function lookForTitle() {
    if (!live.run || isFinal(live.run)) return;
    try {
        document.title = titleOf(await getJson(runPath(live.id)));
    } catch {
        /* Nobody looks: when somebody does, the connection is made and says what is wrong. */
    }
}

/* --- what a person does --- */

async function startFirst() {
    const button = /** @type {HTMLButtonElement} */ (element('empty-start'));
    button.disabled = true;
    try {
        const begun = await postJson('/api/v1/runs', {});
        picker.update(begun);
        show(begun.id, true);
    } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        say(element('empty-error'), problem.sentences);
    }
    button.disabled = false;
}

function showKeys() {
    /** @type {HTMLDialogElement} */ (element('keys')).showModal();
}

function prepare() {
    prepareTools(live);
    prepareKeys({
        ' ': () => status.toggle(),
        n: () => dialog.open(),
        '/': () => picker.open(),
        '?': showKeys,
    });
    element('new-button').addEventListener('click', () => dialog.open());
    element('empty-start').addEventListener('click', startFirst);
    element('empty-settings').addEventListener('click', () => dialog.open({ unfold: true }));
    element('retry-button').addEventListener('click', () => follower.connect());
    element('keys-button').addEventListener('click', showKeys);
    restWhileHidden(follower, lookForTitle);
    window.addEventListener('pagehide', () => follower.rest());
    window.addEventListener('pageshow', ({ persisted }) => persisted && follower.connect());
    window.addEventListener('popstate', () => {
        const asked = live.readAddress();
        showView(live);
        if (asked) showAsked(asked);
    });
}

/** For tests and the curious, read only: what the page knows and has drawn. */
Object.defineProperty(window, 'goodness', {
    value: Object.freeze({
        get run() {
            return structuredClone(live.run);
        },
        /** The series as it is known now, finer where it is zoomed. */
        get points() {
            const { steps, epochs, elapsed, layers: columns } = live.zoom.visible;
            return structuredClone({ steps, epochs, elapsed, layers: columns });
        },
        /** What stands in the layers' charts: x, positive, negative. */
        get drawn() {
            return layers.cards.map(({ chart }) => structuredClone(chart.plot.data));
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
