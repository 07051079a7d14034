/* beside.js - Forward-Forward beside backpropagation: the newest pair of runs, or a button that makes one. */

import { getJson, postJson, Problem } from '../lib/api.js';
import { element, say, setText } from '../lib/dom.js';

/** @typedef {import('../lib/api.js').Run} Run */

const FORWARD = 'quick';
const BASELINE = 'backprop';

/** The newest run by backpropagation, and the newest Forward-Forward run on the same data. @param {Run[]} runs newest
 * first @returns {[Run, Run] | null} */
function newestPair(runs) {
    for (const baseline of runs.filter(({ config }) => config.rule === BASELINE)) {
        const forward = runs.find(
            ({ config }) => config.rule !== BASELINE && config.dataset === baseline.config.dataset,
        );
        if (forward) return [forward, baseline];
    }
    return null;
}

export class Beside {
    /** @param {(ids: number[]) => void} compare */
    constructor(compare) {
        this.compare = compare;
        this.button = /** @type {HTMLButtonElement} */ (element('beside-make'));
        this.link = /** @type {HTMLAnchorElement} */ (element('beside-link'));
        this.button.addEventListener('click', () => this.#make());
    }

    /** Look which runs and presets there are. */
    async look() {
        try {
            const [{ runs }, { presets }] = await Promise.all([
                getJson('/api/v1/runs?limit=500'),
                getJson('/api/v1/presets'),
            ]);
            this.#show(newestPair(runs), presets);
        } catch (problem) {
            this.#tell(problem);
        }
    }

    /** @param {[Run, Run] | null} pair @param {{name: string}[]} presets */
    #show(pair, presets) {
        const can = [FORWARD, BASELINE].every((wanted) => presets.some(({ name }) => name === wanted));
        element('beside').hidden = !pair && !can;
        this.button.hidden = pair !== null;
        this.link.hidden = pair === null;
        if (!pair) return;
        this.link.href = `/compare.html?runs=${pair.map(({ id }) => id).join()}`;
        setText(this.link, `Compare ${pair.map(({ id, name }) => `run ${id}, ${name}`).join(', with ')}`);
    }

    /** Make both runs, one after the other on the same trainer. */
    async #make() {
        this.button.disabled = true;
        say(element('beside-error'), null);
        try {
            const forward = await postJson('/api/v1/runs', { preset: FORWARD, name: 'Forward-Forward' });
            const baseline = await postJson('/api/v1/runs', { preset: BASELINE, name: 'Backpropagation' });
            this.compare([forward.id, baseline.id]);
        } catch (problem) {
            this.#tell(problem);
        }
        this.button.disabled = false;
        await this.look();
    }

    /** @param {unknown} problem */
    #tell(problem) {
        if (!(problem instanceof Problem)) throw problem;
        say(element('beside-error'), problem.sentences);
    }
}
