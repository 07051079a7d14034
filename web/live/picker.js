/* picker.js - the list of runs: newest first, found by name, live in its states. */

import { getJson } from '../lib/api.js';
import { element, make } from '../lib/dom.js';
import { percent } from '../lib/format.js';
import { isTraining, shareDone, stateText } from '../lib/run.js';

/** @typedef {import('../lib/api.js').Run} Run */

const PAGE = 50;

/** @param {Run} run */
function factsOf(run) {
    const best = run.best ? `best test error ${percent(run.best.test_error)}` : null;
    const done = isTraining(run) ? `${Math.floor(100 * shareDone(run))} %` : null;
    const layers = run.config.layers.length;
    return [run.config.dataset, `${layers} ${layers === 1 ? 'layer' : 'layers'}`, done, best]
        .filter(Boolean)
        .join(' · ');
}

export class Picker {
    /** @type {Map<number, Run>} */ runs = new Map();
    /** @type {number | null} */ #next = null;
    /** Deleted: a list that was asked for before may still have them. @type {Set<number>} */ #gone = new Set();
    #shown = 0;
    #drawing = 0;

    /** @param {(id: number) => void} choose */
    constructor(choose) {
        this.list = element('runs-list');
        this.panel = element('runs');
        this.find = /** @type {HTMLInputElement} */ (element('runs-find'));
        this.panel.addEventListener('toggle', () => this.#open() && this.#draw());
        this.find.addEventListener('input', () => this.#draw());
        element('runs-more').addEventListener('click', () => this.#older());
        this.list.addEventListener('click', (event) => {
            const link = /** @type {HTMLElement} */ (event.target).closest('a');
            if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            this.panel.hidePopover();
            choose(Number(link.dataset.run));
        });
    }

    #open() {
        return this.panel.matches(':popover-open');
    }

    open() {
        this.panel.showPopover();
        this.find.focus();
    }

    /** Read the newest runs. @returns {Promise<Run[]>} @throws {import('../lib/api.js').Problem} */
    async load() {
        const { runs, next } = await getJson(`/api/v1/runs?limit=${PAGE}`);
        this.runs.clear();
        this.#add(runs);
        this.#next = next;
        this.#changed();
        return [...this.runs.values()];
    }

    async #older() {
        const { runs, next } = await getJson(`/api/v1/runs?limit=${PAGE}&before=${this.#next}`);
        this.#add(runs);
        this.#next = next;
        this.#draw();
    }

    /** @param {Run[]} runs */
    #add(runs) {
        for (const run of runs) if (!this.#gone.has(run.id)) this.runs.set(run.id, run);
    }

    /** A run is new, or not what it was. @param {Run} run */
    update(run) {
        this.runs.set(run.id, run);
        this.#changed();
    }

    /** A run is not there any more. @param {number} id */
    remove(id) {
        this.#gone.add(id);
        this.runs.delete(id);
        this.#changed();
    }

    /** This run is the one shown. @param {number} id */
    mark(id) {
        this.#shown = id;
        this.#changed();
    }

    /** The run that holds the trainer; undefined: none. */
    get training() {
        return [...this.runs.values()].find(isTraining);
    }

    #changed() {
        const more = this.#next ? '+' : '';
        element('runs-count').textContent = `${this.runs.size}${more}`;
        element('runs-count').hidden = !this.runs.size;
        if (this.#open() && !this.#drawing) this.#drawing = requestAnimationFrame(() => this.#draw());
    }

    /** Draw the list; a link that has the focus keeps it. */
    #draw() {
        const wanted = this.find.value.trim().toLowerCase();
        const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.run;
        const runs = [...this.runs.values()]
            .sort((a, b) => b.id - a.id)
            .filter((run) =>
                `${run.id} ${run.name} ${run.state} ${run.config.dataset}`.toLowerCase().includes(wanted),
            );

        this.#drawing = 0;
        this.list.replaceChildren(...runs.map((run) => make('li', {}, this.#link(run))));
        element('runs-none').hidden = runs.length > 0;
        element('runs-more').hidden = !this.#next;
        if (focused)
            /** @type {HTMLElement | null} */ (this.list.querySelector(`[data-run="${focused}"]`))?.focus();
    }

    /** @param {Run} run */
    #link(run) {
        return make(
            'a',
            {
                href: `/?run=${run.id}`,
                'data-run': String(run.id),
                'aria-current': run.id === this.#shown ? 'true' : false,
            },
            make('span', { class: 'number' }, String(run.id)),
            make('span', { class: 'title' }, run.name),
            make(
                'span',
                { class: 'state', 'data-state': run.state },
                make('span', { class: 'dot' }),
                stateText(run),
            ),
            make('span', { class: 'what' }, factsOf(run)),
        );
    }
}
