/* start.js - the dialog for a new run: presets first, every setting folded below. */

import { getJson, postJson, Problem } from '../lib/api.js';
import { complainOf, element, make, say, setText } from '../lib/dom.js';
import { SettingsForm } from '../lib/form.js';

/** @typedef {import('../lib/api.js').Preset} Preset */
/** @typedef {import('../lib/api.js').Run} Run */

/** @param {any[]} datasets */
const datasetChoices = (datasets) =>
    datasets.map(({ name, title, present, how_to_get: howToGet }) => ({
        value: name,
        text: [name, title && `– ${title}`, !present && '(not here)'].filter(Boolean).join(' '),
        help: present ? '' : howToGet,
    }));

export class StartDialog {
    /** @type {SettingsForm | null} */ #settings = null;
    /** @type {Preset[]} */ #presets = [];

    /** @param {(run: Run) => void} started */
    constructor(started) {
        this.started = started;
        this.dialog = /** @type {HTMLDialogElement} */ (element('start'));
        this.form = /** @type {HTMLFormElement} */ (element('start-form'));
        this.body = element('start-body');
        this.submit = /** @type {HTMLButtonElement} */ (element('start-submit'));
        this.name = make('input', {
            type: 'text',
            id: 'start-name',
            maxlength: '200',
            autocomplete: 'off',
            placeholder: 'named after data set and preset',
            'aria-describedby': 'start-name-error',
        });
        this.nameError = make('p', { class: 'error', id: 'start-name-error', hidden: true });
        element('start-close').addEventListener('click', () => this.dialog.close());
        this.form.addEventListener('submit', (event) => {
            event.preventDefault();
            this.#start();
        });
    }

    /** Open it, with what the server can do now. @param {{unfold?: boolean}} [how] */
    async open({ unfold = false } = {}) {
        if (this.dialog.open) return;
        say(element('start-error'), null);
        this.dialog.showModal();
        try {
            if (!this.#settings) await this.#build();
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            say(element('start-error'), problem.message);
            return;
        }
        if (unfold) this.#details().open = true;
        this.#checked()?.focus();
    }

    #details() {
        return /** @type {HTMLDetailsElement} */ (element('start-settings'));
    }

    async #build() {
        this.submit.disabled = true;
        const [schema, { presets }, { datasets }] = await Promise.all([
            getJson('/api/v1/config'),
            getJson('/api/v1/presets'),
            getJson('/api/v1/datasets'),
        ]);
        const settings = new SettingsForm(schema, { dataset: datasetChoices(datasets) }, () => this.#count());

        this.#presets = presets;
        this.body.replaceChildren(
            make('fieldset', { class: 'presets' }, make('legend', {}, 'Begin from'), ...presets.map(presetCard)),
            make(
                'div',
                { class: 'field' },
                make('label', { for: 'start-name' }, 'Name'),
                this.name,
                this.nameError,
            ),
            make(
                'details',
                { class: 'settings', id: 'start-settings' },
                make('summary', {}, 'All settings'),
                settings.node,
            ),
        );
        this.body
            .querySelectorAll('input[name="preset"]')
            .forEach((radio) => radio.addEventListener('change', () => this.#choose()));
        this.#settings = settings;
        this.#choose();
        this.submit.disabled = false;
    }

    #checked() {
        return /** @type {HTMLInputElement | null} */ (this.body.querySelector('input[name="preset"]:checked'));
    }

    #choose() {
        const preset = this.#presets.find(({ name }) => name === this.#checked()?.value);
        if (preset) this.#settings?.begin(preset.config);
        say(element('start-error'), null);
        this.#count();
    }

    #count() {
        const changed = this.#settings?.read().count ?? 0;
        setText(
            element('start-changed'),
            changed ? `${changed} ${changed === 1 ? 'setting' : 'settings'} changed` : '',
        );
    }

    async #start() {
        if (!this.#settings || this.submit.disabled) return;
        const { settings, count } = this.#settings.read();
        /** @type {Record<string, any>} */
        const body = {};

        if (this.#checked()) body.preset = this.#checked()?.value;
        if (this.name.value.trim()) body.name = this.name.value.trim();
        if (count) body.config = settings;
        this.submit.disabled = true;
        try {
            const run = await postJson('/api/v1/runs', body);
            this.#settings.complain([]);
            this.name.value = '';
            this.dialog.close();
            this.started(run);
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            this.#refused(problem);
        } finally {
            this.submit.disabled = false;
        }
    }

    /** Every error at its field, the rest below; the focus on the first. @param {Problem} problem */
    #refused(problem) {
        const named = problem.errors.filter(({ pointer }) => pointer === '/name');
        const rest = problem.errors.filter(({ pointer }) => pointer !== '/name');
        const { first, others } = /** @type {SettingsForm} */ (this.#settings).complain(rest);

        complainOf(this.name, this.nameError, named.map(({ detail }) => detail));
        const refused = problem.errors.length - others.length;
        const told =
            refused === 1
                ? 'One setting was refused; it says why.'
                : `${refused} settings were refused; each says why.`;
        say(element('start-error'), [refused ? told : problem.message, ...others].join(' '));
        if (first) this.#details().open = true;
        const wrong = first ?? (named.length ? this.name : this.submit);
        wrong.focus({ preventScroll: true });
        wrong.scrollIntoView({ block: 'center' });
    }
}

/** @param {Preset} preset @param {number} index */
function presetCard(preset, index) {
    const radio = make('input', { type: 'radio', name: 'preset', value: preset.name, checked: index === 0 });
    const lines = [make('strong', {}, preset.title || preset.name), make('span', {}, preset.summary ?? '')];
    if (preset.reaches) lines.push(make('span', { class: 'reaches' }, preset.reaches));
    return make('label', { class: 'preset' }, radio, ...lines);
}
