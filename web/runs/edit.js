/* edit.js - the dialog in which a run gets another name, tags and notes. */

import { patchJson, Problem, runPath } from '../lib/api.js';
import { complainOf, element, say, setText } from '../lib/dom.js';

/** @typedef {import('./columns.js').Run} Run */

const FIELDS = ['name', 'tags', 'notes'];

/** "one, two" as tags: each once, none empty. @param {string} text */
const tagsOf = (text) => [
    ...new Set(
        text
            .split(',')
            .map((tag) => tag.trim())
            .filter(Boolean),
    ),
];

export class EditDialog {
    /** @type {Run | null} */ #run = null;

    /** @param {(run: Run) => void} changed */
    constructor(changed) {
        this.changed = changed;
        this.dialog = /** @type {HTMLDialogElement} */ (element('edit'));
        this.save = /** @type {HTMLButtonElement} */ (element('edit-save'));
        element('edit-close').addEventListener('click', () => this.dialog.close());
        element('edit-form').addEventListener('submit', (event) => {
            event.preventDefault();
            this.#save();
        });
    }

    /** @param {string} name */
    #field(name) {
        return /** @type {HTMLInputElement | HTMLTextAreaElement} */ (element(`edit-${name}`));
    }

    /** @param {Run} run */
    open(run) {
        this.#run = run;
        setText(element('edit-title'), `Run ${run.id}`);
        this.#field('name').value = run.name;
        this.#field('tags').value = run.tags.join(', ');
        this.#field('notes').value = run.notes;
        this.#complain([], null);
        this.dialog.showModal();
        this.#field('name').focus();
    }

    /** Only what was changed: what somebody else has written meanwhile stays. @param {Run} run */
    #changes(run) {
        /** @type {Record<string, unknown>} */
        const body = {};
        const tags = tagsOf(this.#field('tags').value);
        if (this.#field('name').value !== run.name) body.name = this.#field('name').value;
        if (tags.join() !== run.tags.join()) body.tags = tags;
        if (this.#field('notes').value !== run.notes) body.notes = this.#field('notes').value;
        return body;
    }

    async #save() {
        const run = this.#run;
        if (!run || this.save.disabled) return;
        const body = this.#changes(run);
        this.save.disabled = true;
        try {
            if (Object.keys(body).length) this.changed(await patchJson(runPath(run.id), body));
            this.dialog.close();
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            this.#complain(problem.errors, problem.errors.length ? null : problem.message);
        } finally {
            this.save.disabled = false;
        }
    }

    /** @param {import('../lib/api.js').FieldError[]} errors @param {string | null} sentence of none of the fields */
    #complain(errors, sentence) {
        /** @type {HTMLElement | null} */
        let first = null;
        for (const name of FIELDS) {
            const mine = errors.filter(({ pointer }) => pointer === `/${name}` || pointer.startsWith(`/${name}/`));
            complainOf(this.#field(name), element(`edit-${name}-error`), mine.map(({ detail }) => detail));
            if (mine.length) first ??= this.#field(name);
        }
        say(element('edit-error'), sentence);
        first?.focus();
    }
}
