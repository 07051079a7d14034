/* knobs.js - turn a knob: the settings that may change while it trains, and the changes made so far, each with the step at
 * which it took effect. */

import { getJson, patchJson, postJson, Problem, runPath } from '../lib/api.js';
import { element, make, say, setText } from '../lib/dom.js';
import { SettingsForm } from '../lib/form.js';
import { count } from '../lib/format.js';
import { painted } from '../lib/paint.js';
import { isFinal, isTraining, settingNow } from '../lib/run.js';

/** @typedef {import('./state.js').Section} Section */
/** @typedef {import('../lib/api.js').Run} Run */

/** The configuration with the live settings as they are now. @param {Run} run @param {string[]} names */
const configNow = (run, names) => ({
    ...run.config,
    ...Object.fromEntries(names.map((name) => [name, settingNow(run, name)])),
});

/** Why nothing can be turned; null where it can. @param {Run} run */
function whyNot(run) {
    if (run.state === 'queued') return 'The run is queued: its settings can be changed when it trains.';
    if (run.state === 'finished') return 'The run is over.';
    return null;
}

/** @param {any} value */
const text = (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value)
              .map(([name, each]) => `${name} ${each}`)
              .join(', ')
        : [value].flat().join(', ');

/** @implements {Section} */
export class Knobs {
    /** @type {SettingsForm | null} */ #form = null;
    /** @type {string[]} names of the live settings */ #names = [];
    #building = false;
    #sending = false;
    #base = '';

    /**
     * @param {import('./state.js').Live} live
     * @param {(run: Run) => void} answered an answer of the server brought the run's newer state
     */
    constructor(live, answered) {
        this.live = live;
        this.answered = answered;
        this.submit = /** @type {HTMLButtonElement} */ (element('knobs-submit'));
        this.changed = live.painter.add(element('knobs'), () => this.#paint());
        this.list = painted(this.#list.bind(this));
        element('knobs-form').addEventListener('submit', (event) => {
            event.preventDefault();
            this.#send();
        });
        element('knobs-reset').addEventListener('click', () => {
            this.#base = '';
            this.changed();
        });
    }

    clear() {
        this.#base = '';
        this.changed();
    }

    run() {
        this.changed();
    }

    async #build() {
        if (this.#building) return;
        this.#building = true;
        try {
            const schema = await getJson('/api/v1/config');
            const live = Object.entries(schema.properties).filter(([, property]) => property['x-live']);
            this.#names = live.map(([name]) => name);
            this.#form = new SettingsForm({ properties: Object.fromEntries(live) }, {}, () => this.#mark(), 'knob');
            element('knobs-fields').replaceChildren(this.#form.node);
            this.changed();
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            say(element('knobs-error'), problem.message);
        }
        this.#building = false;
    }

    #paint() {
        const { run } = this.live;
        const form = this.#form;

        if (!run) return;
        if (!form) {
            this.#build();
            return;
        }
        /* What a person is about to change stays, until the settings themselves have changed. */
        const config = configNow(run, this.#names);
        const base = JSON.stringify([run.id, this.#names.map((name) => config[name])]);
        if (base !== this.#base) {
            form.begin(config);
            say(element('knobs-error'), null);
        }
        this.#base = base;
        this.#mark();
        this.list(JSON.stringify(run.changes));
    }

    #mark() {
        const { run } = this.live;
        if (!run || !this.#form) return;
        const { count: turned } = this.#form.read();
        const reason = whyNot(run);

        say(element('knobs-why'), reason);
        setText(this.submit, isTraining(run) ? 'Turn' : 'Resume with these');
        this.submit.hidden = !!reason;
        this.submit.disabled = this.#sending || !turned;
        element('knobs-reset').hidden = !turned;
        for (const { control } of this.#form.fields) control.disabled = !!reason;
    }

    async #send() {
        const { run } = this.live;
        const form = this.#form;
        if (!run || !form || this.submit.disabled) return;
        const { settings } = form.read();

        this.#sending = true;
        this.#mark();
        try {
            const path = runPath(run.id);
            const body = { config: settings };
            const answer = await (isFinal(run) ? postJson(`${path}/resume`, body) : patchJson(path, body));
            form.complain([]);
            say(element('knobs-error'), null);
            this.answered(answer);
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            const { first, others } = form.complain(problem.errors);
            say(element('knobs-error'), first && !others.length ? null : [problem.message, ...others].join(' '));
            first?.focus();
        }
        this.#sending = false;
        this.#mark();
    }

    /** @param {string} changes as JSON */
    #list(changes) {
        const items = /** @type {Run['changes']} */ (JSON.parse(changes)).flatMap(({ step, ...settings }) =>
            Object.entries(settings).map(([name, [before, after]]) =>
                make(
                    'li',
                    {},
                    make('span', { class: 'number' }, `step ${count(step)}`),
                    make('span', {}, `${name}: ${text(before)} → ${text(after)}`),
                ),
            ),
        );
        element('knobs-changes').replaceChildren(...items.reverse());
        element('knobs-none').hidden = items.length > 0;
    }
}
