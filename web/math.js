/* math.js - the page of formulas: draws each from its text, and lists the settings as this server has them. */

import { getJson, Problem } from './lib/api.js';
import { element, focusWhereScrolled, make, say, scrollToNamed, setText } from './lib/dom.js';
import './lib/page.js';
import { settingText, valuesText } from './lib/settings.js';
import { parse } from './math/expression.js';
import { mathml } from './math/mathml.js';

/** @typedef {import('./lib/form.js').Property} Property */

/** The formula's text gives way to what it means; it stays at hand as the title. */
function drawFormulas() {
    for (const code of document.querySelectorAll('code.formula')) {
        const text = code.textContent ?? '';
        const node = make('div', { class: 'formula', title: text });
        node.innerHTML = mathml(parse(text));
        code.replaceWith(node);
    }
}

/** Names of settings lead to the table. */
function linkSettings() {
    for (const code of document.querySelectorAll('code.setting')) {
        const link = make('a', { href: `#setting-${code.textContent}` });
        code.replaceWith(link);
        link.append(code);
    }
}

/** The articles in which each setting stands. @returns {Map<string, HTMLElement[]>} */
function usesOfSettings() {
    /** @type {Map<string, HTMLElement[]>} */
    const uses = new Map();
    for (const code of document.querySelectorAll('.rule code.setting')) {
        const article = /** @type {HTMLElement} */ (code.closest('.rule'));
        const name = code.textContent ?? '';
        uses.set(name, [...(uses.get(name) ?? []), article]);
    }
    return uses;
}

/** @param {HTMLElement[]} articles */
const linksTo = (articles) =>
    articles.flatMap((article, i) => [
        i ? ', ' : '',
        make('a', { href: `#${article.id}` }, article.querySelector('h3')?.textContent ?? ''),
    ]);

/** @param {string} name @param {Property} property @param {HTMLElement[]} articles */
function settingRow(name, property, articles) {
    const { description = '', default: initial } = property;
    const values = [valuesText(property), property['x-unit']].filter(Boolean).join(', in ');
    const live = property['x-live'] ? '; may change while it trains' : '';
    return make(
        'tr',
        { id: `setting-${name}` },
        make('th', { scope: 'row' }, make('a', { href: `/settings.html#${name}` }, make('code', {}, name))),
        make('td', {}, values),
        make('td', {}, property.properties ? 'none' : settingText(initial)),
        make('td', {}, description + live),
        make('td', {}, ...linksTo(articles)),
    );
}

async function listSettings() {
    try {
        const { properties } = await getJson('/api/v1/config');
        const uses = usesOfSettings();
        element('settings-rows').replaceChildren(
            ...Object.entries(properties).map(([name, property]) =>
                settingRow(name, /** @type {Property} */ (property), uses.get(name) ?? []),
            ),
        );
    } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        say(element('problem'), `${problem.message} Load this page again when it does.`);
    }
}

drawFormulas();
focusWhereScrolled('.formulas');
const listed = listSettings();
linkSettings();
setText(element('curl-line'), `curl ${location.origin}/api/v1/config`);
await listed;
scrollToNamed();
