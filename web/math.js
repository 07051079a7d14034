/* math.js - the page of formulas: draws each from its text, and lists the settings as this server has them. */

import { getJson, Problem } from './lib/api.js';
import { element, make, say, setText } from './lib/dom.js';
import './lib/page.js';
import { settingText } from './lib/settings.js';
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

/** Formulas that are wider than the window can be scrolled, so they can have the focus. */
function watchWidths() {
    const watcher = new ResizeObserver((entries) => {
        for (const { target } of entries)
            if (target.scrollWidth > target.clientWidth) target.setAttribute('tabindex', '0');
            else target.removeAttribute('tabindex');
    });
    for (const list of document.querySelectorAll('.formulas')) watcher.observe(list);
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

/** What a setting may be. @param {Property} property @returns {string} */
function valuesOf(property) {
    const limits = property.oneOf?.[0] ?? property;
    const text = (/** @type {number} */ value) => value.toLocaleString('en', { maximumFractionDigits: 9 });
    if (property.enum) return property.enum.join(', ');
    if (property.properties)
        return Object.entries(property.properties)
            .map(([name, part]) => `${name} ${valuesOf(part)}`)
            .join('; ');
    if (property.type === 'boolean') return 'on, off';
    if (limits.maximum === undefined) return property.type ?? '';
    if (limits.exclusiveMinimum !== undefined)
        return `more than ${text(limits.exclusiveMinimum)}, at most ${text(limits.maximum)}`;
    return `${text(limits.minimum ?? 0)} to ${text(limits.maximum)}`;
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
    const values = [valuesOf(property), property['x-unit']].filter(Boolean).join(', in ');
    const live = /** @type {any} */ (property)['x-live'] ? '; may change while it trains' : '';
    return make(
        'tr',
        { id: `setting-${name}` },
        make('th', { scope: 'row' }, make('code', {}, name)),
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
watchWidths();
const listed = listSettings();
linkSettings();
setText(element('curl-line'), `curl ${location.origin}/api/v1/config`);
await listed;
/* The row that the address names exists only now. */
if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
