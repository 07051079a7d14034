/* status.js - what is happening: name, state, progress, figures, and the buttons that steer a run. */

import { patchJson, postJson, Problem, runPath } from '../lib/api.js';
import { ContinueDialog } from '../lib/continue.js';
import { element, say, setText } from '../lib/dom.js';
import { count, duration, percent } from '../lib/format.js';
import { isFinal, shareDone, stateText, titleOf } from '../lib/run.js';

/** @typedef {import('../lib/api.js').Run} Run */

/** @param {Run} run */
function doneText({ progress }) {
    const { epoch, epochs, step, steps } = progress;
    if (!steps) return `${count(epochs)} ${epochs === 1 ? 'epoch' : 'epochs'} to come`;
    return `Epoch ${count(epoch)} of ${count(epochs)} · step ${count(step)} of ${count(steps)}`;
}

/** @param {Run} run */
function timeText(run) {
    const { elapsed, remaining } = run.progress;
    const taken = run.started || elapsed ? `${duration(elapsed)} taken` : '';
    if (isFinal(run)) return taken;
    return remaining === null ? taken : `${taken} · ${duration(remaining)} left`;
}

/** @typedef {import('./state.js').Section} Section */

/** @implements {Section} */
export class Status {
    #asking = false;
    /** The run whose name and sentences are shown. */
    #shown = 0;
    /** @type {import('../lib/api.js').EpochRow | null} the newest epoch with a test error */ #judged = null;
    /** Its newest state stands on the page; what remains to be drawn is how far it has come. */
    #told = false;

    /**
     * @param {import('./state.js').Live} live
     * @param {(run: Run) => void} answered an answer of the server brought the run's newer state
     */
    constructor(live, answered) {
        this.live = live;
        this.answered = answered;
        this.changed = live.painter.add(element('status'), () => this.#paint());
        for (const action of ['pause', 'resume', 'stop'])
            element(`${action}-button`).addEventListener('click', () => this.ask(action));
        const dialog = new ContinueDialog(answered);
        element('continue-button').addEventListener('click', () => live.run && dialog.open(live.run));
        this.#prepareName(element('run-name'));
    }

    clear() {
        this.#told = false;
        this.#judged = null;
    }

    /** @param {import('../lib/api.js').EpochRow[]} rows */
    epochs(rows) {
        const row = rows.findLast(({ test_error: error }) => error !== null);
        if (row && row.epoch >= (this.#judged?.epoch ?? 0)) this.#judged = row;
        this.#told = false;
        this.changed();
    }

    /** @param {number} step */
    dropped(step) {
        if (this.#judged && this.#judged.step > step) this.#judged = null;
    }

    /** Also while nobody sees it: the tab's title, and what is read aloud. @param {Run | null} before */
    run(before) {
        const { run } = this.live;
        if (!run) return;
        this.#told = false;
        this.changed();
        if (document.title !== titleOf(run)) document.title = titleOf(run);
        if (before?.state !== run.state) setText(element('announce'), `Run ${run.id}, ${run.name}, is ${run.state}.`);
    }

    points() {
        const { run } = this.live;
        if (run && document.title !== titleOf(run)) document.title = titleOf(run);
        this.changed();
    }

    /** Rename in place: Enter or leaving the field keeps the name, Escape gives the old one back.
     * @param {HTMLInputElement} input */
    #prepareName(input) {
        input.addEventListener('keydown', (event) => {
            if (event.key === 'Escape') input.value = this.live.run?.name ?? '';
            if (event.key === 'Escape' || event.key === 'Enter') input.blur();
        });
        input.addEventListener('change', async () => {
            const { run } = this.live;
            const name = input.value.trim();
            if (!run || name === run.name) return;
            const answer = await this.#send(() => patchJson(runPath(run.id), { name }));
            input.value = answer?.name ?? run.name;
        });
    }

    /** @param {string} action pause, resume or stop */
    async ask(action) {
        const { run } = this.live;
        if (!run || this.#asking) return;
        this.#asking = true;
        this.#showControls(run);
        await this.#send(() => postJson(`${runPath(run.id)}/${action}`, {}));
        this.#asking = false;
        if (this.live.run) this.#showControls(this.live.run);
    }

    /** The space bar: pause what runs, resume what is paused. */
    toggle() {
        const { run } = this.live;
        if (run?.state === 'running' && !run.pending) this.ask('pause');
        else if (run?.state === 'paused' && !run.pending) this.ask('resume');
    }

    /** @param {() => Promise<Run>} send @returns {Promise<Run | null>} null: refused, and said why */
    async #send(send) {
        try {
            const run = await send();
            say(element('run-error'), null);
            this.answered(run);
            return run;
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            const details = problem.errors.map((error) => error.detail);
            say(element('run-error'), [problem.message, ...details].join('; '));
            return null;
        }
    }

    #paint() {
        const { run } = this.live;
        if (!run) return;
        if (!this.#told) this.#show(run);
        this.#told = true;
        this.#showProgress(run);
    }

    /** @param {Run} run */
    #show(run) {
        const another = run.id !== this.#shown;
        const name = /** @type {HTMLInputElement} */ (element('run-name'));

        this.#shown = run.id;
        if (another) say(element('run-error'), null);
        if (another || document.activeElement !== name) name.value = run.name;
        setText(element('run-heading'), `Run ${run.id}: ${run.name}`);
        element('run-state').dataset.state = run.state;
        setText(element('run-state-text'), stateText(run));
        const parts = [
            `run ${run.id}`,
            run.preset && `preset ${run.preset}`,
            run.config.dataset,
            `seed ${run.config.seed}`,
        ];
        setText(element('run-facts'), parts.filter(Boolean).join(' · '));
        this.#showSentences(run);
        this.#showFigures(run);
        this.#showControls(run);
    }

    /** @param {Run} run */
    #showSentences(run) {
        const reason = element('run-reason');
        const warnings = element('run-warnings');
        const text = run.warnings.join('\n');

        reason.classList.toggle('bad', run.state === 'failed');
        say(reason, run.reason);
        warnings.hidden = !text;
        if (warnings.dataset.text !== text) {
            warnings.dataset.text = text;
            warnings.replaceChildren(
                ...run.warnings.map((warning) => {
                    const item = document.createElement('li');
                    item.textContent = warning;
                    return item;
                }),
            );
        }
    }

    /** @param {Run} run */
    #showProgress(run) {
        const bar = /** @type {HTMLProgressElement} */ (element('run-progress'));
        bar.value = shareDone(run);
        setText(element('progress-done'), doneText(run));
        setText(element('progress-time'), timeText(run));
    }

    /** @param {Run} run */
    #showFigures(run) {
        const now = run.last?.test_error ?? this.#judged?.test_error;
        const late = this.#judged && run.last && this.#judged.epoch < run.last.epoch;
        setText(element('error-now'), percent(now));
        setText(element('error-now-epoch'), late ? `Test error, epoch ${count(this.#judged?.epoch)}` : 'Test error now');
        setText(element('error-best'), percent(run.best?.test_error));
        setText(element('error-best-epoch'), run.best ? `Best, epoch ${count(run.best.epoch)}` : 'Best test error');
        setText(element('error-train'), percent(run.last?.train_error));
        setText(element('speed'), count(run.progress.samples_per_second));
        setText(element('parameters'), run.parameters ? count(run.parameters) : '–');
    }

    /** @param {Run} run */
    #showControls(run) {
        const show = (/** @type {string} */ action, /** @type {boolean} */ there) => {
            const button = /** @type {HTMLButtonElement} */ (element(`${action}-button`));
            button.hidden = !there;
            button.disabled = this.#asking || !!run.pending;
        };
        /* The focus would be lost with a button that is replaced by another: hand it on. */
        const focused = document.activeElement?.id;
        show('pause', run.state === 'running');
        show('resume', run.state === 'paused');
        show('continue', isFinal(run));
        show('stop', ['queued', 'running', 'paused'].includes(run.state));
        if (focused === 'pause-button' && run.state === 'paused') element('resume-button').focus();
        if (focused === 'resume-button' && run.state === 'running') element('pause-button').focus();
        if (focused === 'stop-button' && isFinal(run)) element('continue-button').focus();
        if (focused === 'continue-button' && !isFinal(run)) element('stop-button').focus();
    }
}
