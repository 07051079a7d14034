/* picked.js - the runs that were picked: what they differ in, and what can be done with them together. */

import { element, make, setText } from '../lib/dom.js';
import { isTraining } from '../lib/run.js';
import { differingSettings, settingAt, settingText } from '../lib/settings.js';

/** @typedef {import('./columns.js').Run} Run */

const MOST = 8; /* runs beside each other in the bar; Compare has them all */

export class Picked {
    #drawn = '';

    /** @param {{clear: () => void, remove: () => void}} handlers */
    constructor(handlers) {
        this.bar = element('picked');
        element('picked-clear').addEventListener('click', handlers.clear);
        element('picked-delete').addEventListener('click', handlers.remove);
    }

    /** @param {Run[]} runs */
    draw(runs) {
        this.bar.hidden = runs.length === 0;
        const drawn = runs.map(({ id, name }) => `${id} ${name}`).join('\n');
        if (drawn === this.#drawn) return;
        this.#drawn = drawn;
        const link = /** @type {HTMLAnchorElement} */ (element('picked-compare'));
        const busy = runs.some(isTraining);
        setText(element('picked-count'), `${runs.length} ${runs.length === 1 ? 'run' : 'runs'} picked`);
        link.href = `/compare.html?runs=${runs.map(({ id }) => id).join()}`;
        setText(link, runs.length === 1 ? 'Compare with others' : 'Compare');
        /** @type {HTMLButtonElement} */ (element('picked-delete')).disabled = busy;
        element('picked-delete').title = busy ? 'One of them trains: stop it first' : '';
        element('picked-settings').replaceChildren(...this.#settings(runs));
    }

    /** A table of the settings in which they differ. @param {Run[]} runs */
    #settings(runs) {
        if (runs.length < 2) return [];
        const paths = differingSettings(runs);
        if (!paths.length) return [make('p', { class: 'note' }, 'Their settings are all the same.')];
        const shown = runs.slice(0, MOST);
        const head = make('tr', {}, make('th', { scope: 'col', class: 'text' }, 'Setting'));
        head.append(...shown.map(({ id, name }) => make('th', { scope: 'col', title: name }, `run ${id}`)));
        const rows = paths.map((path) =>
            make(
                'tr',
                {},
                make('th', { scope: 'row', class: 'text' }, path),
                ...shown.map(({ config }) => make('td', {}, settingText(settingAt(config, path)))),
            ),
        );
        const caption = shown.length < runs.length ? `the first ${MOST} of ${runs.length} runs` : 'all of them';
        return [
            make(
                'table',
                {},
                make('caption', { class: 'hidden-text' }, `Settings in which they differ, ${caption}`),
                make('thead', {}, head),
                make('tbody', {}, ...rows),
            ),
        ];
    }
}
