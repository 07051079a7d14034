/* table.js - the list of runs as a table: a row a run, changed in place, so that focus and place in it stay. */

import { make, setText } from '../lib/dom.js';
import { isFinal, isTraining } from '../lib/run.js';
import { LEADING } from './columns.js';
import { sparkline } from './history.js';

/** @typedef {import('./columns.js').Run} Run */
/** @typedef {import('./columns.js').Column} Column */
/** @typedef {{id: string, falling: boolean}} Order */
/**
 * @typedef {object} Handlers
 * @property {(column: string) => void} sort by this column, or the other way
 * @property {(id: number, picked: boolean) => void} pick
 * @property {(picked: boolean) => void} pickAll that are in view
 * @property {(run: Run) => void} edit
 * @property {(run: Run) => void} goOn
 * @property {(run: Run) => void} remove
 * @property {(tag: string) => void} tag show the runs with this tag
 * @property {(run: Run) => import('./history.js').History | undefined} history
 */

class Row {
    /** @param {Run} run @param {Column[]} columns @param {Handlers} handlers */
    constructor(run, columns, handlers) {
        this.run = run;
        this.handlers = handlers;
        this.pick = make('input', { type: 'checkbox' });
        this.link = make('a', { class: 'run-link', href: `/?run=${run.id}` });
        this.edit = make('button', { type: 'button', class: 'button small', 'data-action': 'edit' }, 'Edit');
        this.goOn = make('button', { type: 'button', class: 'button small', 'data-action': 'continue' }, 'Continue…');
        this.remove = make('button', { type: 'button', class: 'button small', 'data-action': 'delete' }, 'Delete');
        this.pick.addEventListener('change', () => handlers.pick(this.run.id, this.pick.checked));
        this.edit.addEventListener('click', () => handlers.edit(this.run));
        this.goOn.addEventListener('click', () => handlers.goOn(this.run));
        this.remove.addEventListener('click', () => handlers.remove(this.run));
        this.cells = columns.map((column) => ({
            column,
            drawn: '',
            node: make('td', { class: column.numeric ? 'number' : 'text', 'data-column': column.id }),
        }));
        this.node = make(
            'tr',
            { 'data-run': String(run.id) },
            make('td', { class: 'pick' }, this.pick),
            make('td', { class: 'number', 'data-column': 'id' }, String(run.id)),
            make('th', { scope: 'row', class: 'text', 'data-column': 'name' }, this.link),
            ...this.cells.map(({ node }) => node),
            make('td', { class: 'actions' }, make('span', {}, this.goOn, this.edit, this.remove)),
        );
    }

    /** @param {Run} run @param {boolean} picked */
    show(run, picked) {
        const holds = isTraining(run);
        this.run = run;
        setText(this.link, run.name);
        this.link.title = run.name;
        this.pick.checked = picked;
        this.pick.setAttribute('aria-label', `Pick run ${run.id}, ${run.name}`);
        this.edit.setAttribute('aria-label', `Edit run ${run.id}: name, tags, notes`);
        this.goOn.setAttribute('aria-label', `Continue… run ${run.id}`);
        this.goOn.hidden = !isFinal(run);
        this.remove.setAttribute('aria-label', `Delete run ${run.id}`);
        this.remove.disabled = holds;
        this.remove.title = holds ? `It is ${run.state}: stop it first` : '';
        this.node.classList.toggle('picked', picked);
        for (const cell of this.cells) this.#fill(cell);
    }

    /** @param {{column: Column, drawn: string, node: HTMLElement}} cell */
    #fill(cell) {
        const { column, node } = cell;
        const history = column.look === 'spark' ? this.handlers.history(this.run) : undefined;
        const drawn =
            column.look === 'spark'
                ? `${history?.digest} ${history?.epochs.length}`
                : `${this.run.state} ${column.text(this.run)}`;
        if (drawn === cell.drawn) return;
        cell.drawn = drawn;
        if (column.look === 'spark')
            node.replaceChildren(...(history?.epochs.length ? [sparkline(history)] : ['–']));
        else if (column.look === 'state') node.replaceChildren(stateNode(this.run, column.text(this.run)));
        else if (column.look === 'tags') node.replaceChildren(...this.#tags());
        else {
            setText(node, column.text(this.run));
            if (!column.numeric) node.title = column.text(this.run);
        }
    }

    #tags() {
        return this.run.tags.map((tag) => {
            const button = make('button', { type: 'button', class: 'tag', title: `Runs with tag ${tag}` }, tag);
            button.addEventListener('click', () => this.handlers.tag(tag));
            return button;
        });
    }
}

/** @param {Run} run @param {string} text */
const stateNode = (run, text) =>
    make('span', { class: 'state', 'data-state': run.state }, make('span', { class: 'dot' }), text);

export class RunTable {
    /** @type {Map<number, Row>} */ #rows = new Map();
    #made = '';

    /** @param {HTMLTableElement} table @param {Handlers} handlers */
    constructor(table, handlers) {
        this.table = table;
        this.handlers = handlers;
        this.body = document.createElement('tbody');
        this.all = make('input', { type: 'checkbox', 'aria-label': 'Pick all runs on this page' });
        this.all.addEventListener('change', () => handlers.pickAll(this.all.checked));
    }

    /** @param {Column} column @param {Order} order */
    #headCell(column, order) {
        const sorted = column.id === order.id;
        const way = order.falling ? 'descending' : 'ascending';
        const button = make('button', { type: 'button', 'data-sort': column.id }, column.title);
        const cell = make(
            'th',
            {
                scope: 'col',
                class: column.numeric ? 'number' : 'text',
                'data-column': column.id,
                'aria-sort': sorted ? way : false,
            },
            button,
        );
        if (sorted) button.append(make('span', { 'aria-hidden': 'true' }, order.falling ? ' ▼' : ' ▲'));
        button.addEventListener('click', () => this.handlers.sort(column.id));
        return cell;
    }

    /** Make the head, and all rows anew, where the columns or their order are others.
     * @param {Column[]} columns @param {Order} order */
    #prepare(columns, order) {
        const made = [order.id, order.falling, ...columns.map(({ id }) => id)].join();
        if (made === this.#made) return;
        const focused = this.table.contains(document.activeElement)
            ? /** @type {HTMLElement} */ (document.activeElement).dataset.sort
            : undefined;
        this.#made = made;
        this.#rows.clear();
        this.body.replaceChildren();
        const row = make('tr', {}, make('th', { scope: 'col', class: 'pick' }, this.all));
        row.append(...[...LEADING, ...columns].map((column) => this.#headCell(column, order)));
        row.append(
            make('th', { scope: 'col', class: 'actions' }, make('span', { class: 'hidden-text' }, 'Change')),
        );
        this.table.replaceChildren(make('thead', {}, row), this.body);
        if (focused)
            /** @type {HTMLElement | null} */ (this.table.querySelector(`[data-sort="${focused}"]`))?.focus();
    }

    /**
     * Show these runs, in this order.
     * @param {Run[]} runs
     * @param {Column[]} columns beside number and name
     * @param {Order} order
     * @param {Set<number>} picked
     */
    draw(runs, columns, order, picked) {
        this.#prepare(columns, order);
        const shown = new Set(runs.map(({ id }) => id));
        for (const [id, row] of this.#rows) {
            if (shown.has(id)) continue;
            row.node.remove();
            this.#rows.delete(id);
        }
        runs.forEach((run, i) => {
            const row = this.#rows.get(run.id) ?? new Row(run, columns, this.handlers);
            this.#rows.set(run.id, row);
            row.show(run, picked.has(run.id));
            if (this.body.children[i] !== row.node) this.body.insertBefore(row.node, this.body.children[i] ?? null);
        });
        const here = runs.filter(({ id }) => picked.has(id)).length;
        this.all.checked = here > 0 && here === runs.length;
        this.all.indeterminate = here > 0 && here < runs.length;
    }

    /** Put the focus on a run's row. @param {number} id */
    focus(id) {
        this.#rows.get(id)?.link.focus();
    }
}
