/* settings.js - the page of settings: beside each note what the setting may be on this server, and what it was measured to do. */

import { getJson, Problem } from './lib/api.js';
import { element, focusWhereScrolled, make, say, scrollToNamed, setText } from './lib/dom.js';
import './lib/page.js';
import { settingText, valuesText } from './lib/settings.js';
import { figuresOf } from './settings/figures.js';

/** @typedef {import('./lib/form.js').Property} Property */
/** @typedef {import('./settings/figures.js').Effects} Effects */

/** The notes' own titles, group by group. */
function listContents() {
    const groups = [...document.querySelectorAll('.group')].map((group) =>
        make(
            'div',
            {},
            make('h2', {}, group.querySelector('h2')?.textContent ?? ''),
            make(
                'ul',
                {},
                ...[...group.querySelectorAll('.rule')].map(({ id }) =>
                    make('li', {}, make('a', { href: `#${id}` }, id)),
                ),
            ),
        ),
    );
    element('contents').append(...groups);
}

/** @param {string} name @param {Node | string} text */
const fact = (name, text) => make('div', {}, make('dt', {}, name), make('dd', {}, text));

/** @param {string} name @param {Property} property */
function factsOf(name, property) {
    const values = [valuesText(property), property['x-unit']].filter(Boolean).join(', in ');
    const live = property['x-live'] ? '; may change while it trains' : '';
    return make(
        'dl',
        { class: 'facts' },
        fact('Meaning', property.description ?? ''),
        fact('Values', values + live),
        fact('Default', property.properties ? 'none' : settingText(property.default)),
        fact('Formulas', make('a', { href: `/math.html#setting-${name}` }, 'in the mathematics')),
    );
}

/** @param {Record<string, Property>} properties @param {Effects} effects */
function fill(properties, effects) {
    for (const article of document.querySelectorAll('.rule')) {
        const property = properties[article.id];
        const measured = effects.effects.filter(({ setting }) => setting.split('.')[0] === article.id);
        if (property) article.append(factsOf(article.id, property));
        article.append(...measured.map((effect) => figuresOf(effect, effects)));
    }
}

/** What all small runs have in common. @param {Effects} effects */
function aboutRuns({ bases }) {
    const config = Object.values(bases)[0].config;
    const images = (config.train_limit - config.validation).toLocaleString('en');
    const held = config.validation.toLocaleString('en');
    return (
        `Unless something else is said: ${config.dataset}, ${images} images to train on, ${held} held out to judge by, ` +
        `${config.epochs} epochs, layers ${settingText(config.layers)}, all else as the default has it; means over three ` +
        'seeds ± their standard error.'
    );
}

listContents();
try {
    const [{ properties }, effects] = await Promise.all([getJson('/api/v1/config'), getJson('/settings/effects.json')]);
    setText(element('about-runs'), aboutRuns(effects));
    fill(properties, effects);
    focusWhereScrolled('.measured');
} catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    say(element('problem'), `${problem.message} Load this page again when it does.`);
}
scrollToNamed();
