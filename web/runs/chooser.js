/* chooser.js - the list from which a person chooses the columns. */

import { element, make } from '../lib/dom.js';
import { FIXED, USUAL } from './columns.js';

/** @typedef {{columns: string[], differing: boolean}} Choice */

export class Chooser {
    #made = '';

    /** @param {Choice} choice changed in place @param {() => void} changed */
    constructor(choice, changed) {
        this.choice = choice;
        this.changed = changed;
        this.panel = element('columns');
        this.list = element('columns-list');
        this.differing = /** @type {HTMLInputElement} */ (element('columns-differing'));
        this.differing.addEventListener('change', () => {
            this.choice.differing = this.differing.checked;
            changed();
        });
        this.list.addEventListener('change', () => this.#choose());
        element('columns-usual').addEventListener('click', () => {
            Object.assign(this.choice, { columns: [...USUAL], differing: true });
            this.#mark();
            changed();
        });
    }

    /** @returns {HTMLInputElement[]} */
    get #boxes() {
        return [.../** @type {NodeListOf<HTMLInputElement>} */ (this.list.querySelectorAll('input'))];
    }

    /** In the order of the list, whatever the order in which they were chosen. */
    #choose() {
        this.choice.columns = this.#boxes.filter((box) => box.checked).map((box) => box.value);
        this.changed();
    }

    #mark() {
        for (const box of this.#boxes) box.checked = this.choice.columns.includes(box.value);
        this.differing.checked = this.choice.differing;
    }

    /** @param {string} title @param {{id: string, title: string}[]} columns */
    #group(title, columns) {
        const boxes = columns.map(({ id, title: name }) =>
            make('label', {}, make('input', { type: 'checkbox', value: id }), make('span', {}, name)),
        );
        return make('fieldset', {}, make('legend', {}, title), make('div', { class: 'choices' }, ...boxes));
    }

    /** @param {string[]} settings that runs have */
    draw(settings) {
        const made = settings.join();
        if (made !== this.#made) {
            this.#made = made;
            this.list.replaceChildren(
                this.#group('Of the run', FIXED),
                this.#group(
                    'Settings',
                    settings.map((id) => ({ id, title: id })),
                ),
            );
        }
        this.#mark();
    }
}
