/* continue.js - the dialog in which a run that has ended goes on: to how many epochs in all, and where it trains. */

import { postJson, Problem, runPath } from './api.js';
import { complainOf, element, make, say, setText } from './dom.js';
import { count } from './format.js';

/** @typedef {import('./api.js').Run} Run */

/** Names of the fields, as the server's pointers have them, and the ids that they have here. @type {[string, string][]} */
const FIELDS = [
    ['/epochs', 'epochs'],
    ['/placement/stages', 'stages'],
    ['/placement/threads', 'threads'],
];

/** The fewest epochs in all that a run can be asked for: it keeps those that it has. @param {Run} run */
const leastOf = ({ state, config }) => config.epochs + (state === 'finished' ? 1 : 0);

/** @param {Run} run */
function whatOf({ id, state, progress, checkpoint }) {
    const done = `Run ${id} is ${state}, ${count(progress.step)} of its ${count(progress.steps)} steps done.`;
    const from = checkpoint
        ? `It goes on from its checkpoint, step ${count(checkpoint.step)}, exactly as if it had never been left.`
        : 'It has no checkpoint, and begins with its first step.';
    return `${done} ${from}`;
}

/** A schedule is laid over all epochs, so that more of them change it. @param {Run} run */
const scheduleOf = ({ config: { schedule } }) =>
    schedule === 'constant'
        ? null
        : `The learning rate’s schedule (${schedule}) is laid over all epochs: with more of them it falls later.`;

/** A field whose text is a whole number. @param {string} name @param {string} label @param {string} [placeholder] */
function numberField(name, label, placeholder = '') {
    const id = `continue-${name}`;
    const what = { type: 'text', inputmode: 'numeric', autocomplete: 'off', placeholder };
    return make(
        'div',
        { class: 'field' },
        make('label', { for: id }, label),
        make('input', { ...what, id, 'aria-describedby': `${id}-error` }),
        make('p', { class: 'error', id: `${id}-error`, hidden: true }),
    );
}

function placementField() {
    const choices = [
        ['', 'as before'],
        ['auto', 'chosen by the server'],
        ['own', 'as many as I say'],
    ];
    return make(
        'div',
        { class: 'field' },
        make('label', { for: 'continue-placement' }, 'Stages and threads'),
        make(
            'select',
            { id: 'continue-placement', 'aria-describedby': 'continue-placement-help' },
            ...choices.map(([value, text]) => make('option', { value }, text)),
        ),
        make('p', { class: 'note', id: 'continue-placement-help' }, 'They change the speed, never the result.'),
    );
}

function body() {
    return make(
        'div',
        { class: 'dialog-body' },
        make('p', { id: 'continue-what' }),
        numberField('epochs', 'Epochs in all'),
        make('p', { class: 'note', id: 'continue-schedule' }),
        placementField(),
        make(
            'div',
            { class: 'fields', id: 'continue-own' },
            numberField('stages', 'Stages', 'automatic'),
            numberField('threads', 'Threads of each', 'automatic'),
        ),
    );
}

/** The dialog, in the page's body. @returns {HTMLDialogElement} */
function build() {
    const close = make('button', { type: 'button', class: 'button quiet icon', id: 'continue-close' });
    const cross = make('span', { 'aria-hidden': 'true' }, '×');
    close.append(cross, make('span', { class: 'hidden-text' }, 'Close'));
    const dialog = make(
        'dialog',
        { id: 'continue', class: 'dialog narrow', 'aria-labelledby': 'continue-title', 'aria-describedby': 'continue-what' },
        make(
            'form',
            { id: 'continue-form', novalidate: true },
            make('header', {}, make('h2', { id: 'continue-title' }), close),
            body(),
            make(
                'footer',
                {},
                make('p', { class: 'error', id: 'continue-error', role: 'alert', hidden: true }),
                make('button', { type: 'submit', class: 'button primary', id: 'continue-submit' }, 'Continue'),
            ),
        ),
    );
    document.body.append(dialog);
    return dialog;
}

export class ContinueDialog {
    /** @type {Run | null} */ #run = null;

    /** @param {(run: Run) => void} continued the run goes on, or waits for its turn to */
    constructor(continued) {
        this.continued = continued;
        this.dialog = build();
        this.submit = /** @type {HTMLButtonElement} */ (element('continue-submit'));
        this.placement = /** @type {HTMLSelectElement} */ (element('continue-placement'));
        this.placement.addEventListener('change', () => this.#showOwn());
        element('continue-close').addEventListener('click', () => this.dialog.close());
        element('continue-form').addEventListener('submit', (event) => {
            event.preventDefault();
            this.#send();
        });
    }

    /** @param {string} name @returns {HTMLInputElement} */
    #field(name) {
        return /** @type {HTMLInputElement} */ (element(`continue-${name}`));
    }

    #showOwn() {
        element('continue-own').hidden = this.placement.value !== 'own';
    }

    /** @param {Run} run that has ended */
    open(run) {
        const { epochs } = run.config;
        this.#run = run;
        setText(element('continue-title'), `Continue ${run.name}`);
        setText(element('continue-what'), whatOf(run));
        say(element('continue-schedule'), scheduleOf(run));
        this.#field('epochs').value = String(run.state === 'finished' ? 2 * epochs || 1 : epochs);
        this.placement.value = '';
        for (const [, name] of FIELDS.slice(1)) this.#field(name).value = '';
        this.#showOwn();
        this.#complain([], null);
        this.dialog.showModal();
        this.#field('epochs').focus();
        this.#field('epochs').select();
    }

    /** Text that is no number stays text, so that the server's own sentence is shown. @param {string} name */
    #number(name) {
        const text = this.#field(name).value.trim();
        return /^\d+$/.test(text) ? Number(text) : text;
    }

    #placement() {
        const { value } = this.placement;
        if (value !== 'own') return value ? { placement: value } : {};
        const given = ['stages', 'threads'].map((name) => [name, this.#number(name)]).filter(([, number]) => number !== '');
        return { placement: Object.fromEntries(given) };
    }

    /** The server is told how many more; what is asked for here is the whole. @param {Run} run */
    #more(run) {
        const all = this.#number('epochs');
        if (typeof all === 'number' && all >= leastOf(run)) return all - run.config.epochs;
        const detail =
            `must be a whole number, ${leastOf(run)} or more: ` +
            `a run can have more epochs than its ${run.config.epochs}, not fewer`;
        this.#complain([{ pointer: '/epochs', detail }], null);
        return null;
    }

    async #send() {
        const run = this.#run;
        if (!run || this.submit.disabled) return;
        const more = this.#more(run);
        if (more === null) return;
        this.submit.disabled = true;
        try {
            const asked = { ...(more ? { epochs: more } : {}), ...this.#placement() };
            const answer = await postJson(`${runPath(run.id)}/resume`, asked);
            this.dialog.close();
            this.continued(answer);
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            this.#complain(problem.errors, problem.errors.length ? null : problem.message);
        } finally {
            this.submit.disabled = false;
        }
    }

    /** Every error at its field, the rest below; the focus on the first. @param {import('./api.js').FieldError[]} errors
     * @param {string | null} sentence of none of the fields */
    #complain(errors, sentence) {
        /** @type {HTMLElement | null} */
        let first = null;
        for (const [pointer, name] of FIELDS) {
            const mine = errors.filter((error) => error.pointer === pointer);
            complainOf(this.#field(name), element(`continue-${name}-error`), mine.map(({ detail }) => detail));
            if (mine.length) first ??= this.#field(name);
        }
        const others = errors.filter((error) => !FIELDS.some(([pointer]) => pointer === error.pointer));
        const rest = others.map(({ pointer, detail }) => `${pointer}: ${detail}`);
        say(element('continue-error'), [sentence ?? '', ...rest].filter(Boolean).join(' ') || null);
        first?.focus();
    }
}
