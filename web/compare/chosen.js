/* chosen.js - the runs that are compared: each with the sign of its lines, to be left out; and others to be added. */

import { getJson, Problem } from '../lib/api.js';
import { element, make, say } from '../lib/dom.js';

/** @typedef {import('./overlay.js').Sign} Sign */

const COLOURS = 8;
const DASHES = [[], [6, 4], [2, 3], [8, 3, 2, 3]];
const SVG = 'http://www.w3.org/2000/svg';

/** The sign of the run in this place: no two of the first 32 are alike. @param {number} place @param {string} label
 * @returns {Sign} */
export function signOf(place, label) {
    const round = Math.floor(place / COLOURS);
    return { label, colour: `--run-${(place % COLOURS) + 1}`, dash: DASHES[(place + round) % DASHES.length] };
}

/** A piece of the run's line. @param {number} place */
export function signNode(place) {
    const { colour, dash = [] } = signOf(place, '');
    const svg = document.createElementNS(SVG, 'svg');
    const path = document.createElementNS(SVG, 'path');
    svg.setAttribute('class', 'run-sign');
    svg.setAttribute('viewBox', '0 0 28 10');
    svg.setAttribute('aria-hidden', 'true');
    path.style.stroke = `var(${colour})`;
    path.setAttribute('d', 'M1 5H27');
    if (dash.length) path.setAttribute('stroke-dasharray', dash.join(' '));
    svg.append(path);
    return svg;
}

export class Chosen {
    /** @param {{add: (id: number) => void, leave: (id: number) => void}} handlers */
    constructor(handlers) {
        this.handlers = handlers;
        this.list = element('chosen-list');
        this.field = /** @type {HTMLInputElement} */ (element('add-run'));
        this.field.addEventListener('focus', () => this.#offer());
        element('add-form').addEventListener('submit', (event) => {
            event.preventDefault();
            this.#add();
        });
        /* A run chosen from the list is added without another key. */
        this.field.addEventListener('input', (event) => {
            if (!(event instanceof InputEvent) || event.inputType === 'insertReplacementText') this.#add();
        });
    }

    async #offer() {
        try {
            const { runs } = await getJson('/api/v1/runs?limit=200');
            element('add-choices').replaceChildren(
                ...runs.map((/** @type {any} */ run) => make('option', { value: `${run.id} ${run.name}` })),
            );
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            /* Without the list a number can still be written. */
        }
    }

    #add() {
        const id = parseInt(this.field.value, 10);
        say(element('add-error'), id > 0 ? null : 'Write a run’s number.');
        if (!(id > 0)) return;
        this.field.value = '';
        this.handlers.add(id);
    }

    /** @param {{id: number, name: string}[]} runs */
    draw(runs) {
        this.list.replaceChildren(
            ...runs.map(({ id, name }, place) => {
                const leave = make('button', { type: 'button', class: 'leave' }, '×');
                leave.setAttribute('aria-label', `Leave run ${id} out`);
                leave.addEventListener('click', () => this.handlers.leave(id));
                return make(
                    'li',
                    { 'data-run': String(id) },
                    signNode(place),
                    make('a', { href: `/?run=${id}` }, `${id} ${name}`),
                    leave,
                );
            }),
        );
    }
}
