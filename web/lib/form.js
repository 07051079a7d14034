/* form.js - fields made from the JSON Schema of a run's configuration: what the server can do is on offer. */

import { complainOf, make } from './dom.js';
import { settingAt } from './settings.js';

/**
 * @typedef {object} Property a setting in the schema
 * @property {string} [type]
 * @property {string} [description]
 * @property {any} [default]
 * @property {string[]} [enum]
 * @property {Record<string, Property>} [properties] of an object
 * @property {any[]} [oneOf]
 * @property {any} [items] of an array
 * @property {string} [x-group]
 * @property {string} [x-unit]
 * @property {boolean} [x-live] may change while it trains
 * @property {number} [minimum]
 * @property {number} [exclusiveMinimum]
 * @property {number} [maximum]
 *
 * @typedef {{value: string, text: string, help?: string}} Choice
 */

const OTHER = 'Other';
const NO_LIMIT = 4294967295; /* a range up to this is none that a person would want to read */

/** A value as a person writes it: 500, 300, 10. @param {any} value @returns {string} */
function textOf(value) {
    if (Array.isArray(value))
        return value.map((each) => (typeof each === 'object' ? JSON.stringify(each) : String(each))).join(', ');
    return value === undefined || value === null ? '' : String(value);
}

/** What was written, as JSON; text that is no number stays text, so that the server's own sentence is shown.
 * @param {string} text @param {Property} property @returns {any} */
function valueOf(text, property) {
    const number = (/** @type {string} */ part) =>
        part !== '' && Number.isFinite(Number(part)) ? Number(part) : part;
    const trimmed = text.trim();

    if (property.enum || property.type === 'string') return trimmed;
    if (/^[[{]/.test(trimmed)) {
        try {
            return JSON.parse(trimmed.startsWith('{') ? `[${trimmed}]` : trimmed);
        } catch {
            return trimmed;
        }
    }
    const parts = trimmed.split(/[\s,;]+/).filter((part) => part !== '');
    if (property.type === 'array' || parts.length > 1) return parts.map(number);
    return number(trimmed);
}

/** "0 to 10", "more than 0, at most 10". @param {Property} property */
function rangeOf(property) {
    const limits = property.oneOf?.[0] ?? property.items?.oneOf?.[0] ?? property.items ?? property;
    const { minimum, exclusiveMinimum, maximum } = limits;
    const text = (/** @type {number} */ value) => value.toLocaleString('en', { maximumFractionDigits: 9 });
    if (maximum === undefined || maximum >= NO_LIMIT) return '';
    return exclusiveMinimum !== undefined
        ? `more than ${text(exclusiveMinimum)}, at most ${text(maximum)}`
        : `${text(minimum)} to ${text(maximum)}`;
}

const words = (/** @type {string} */ name) =>
    name.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());

/** To what is said of a setting, in another window: this form may hold what somebody has written. @param {string[]} path */
const noteLink = (path) =>
    make(
        'a',
        { href: `/settings.html#${path[0]}`, target: '_blank', 'aria-label': `More on ${path.join(' ')}` },
        'More',
    );

/** One setting: label, control, help and the place for an error. */
class Field {
    /**
     * @param {string[]} path names from the configuration down
     * @param {Property} property
     * @param {Choice[] | null} choices
     * @param {string} prefix of its ids
     */
    constructor(path, property, choices, prefix) {
        const id = `${prefix}-${path.join('-')}`;

        this.path = path;
        this.property = property;
        this.flag = property.type === 'boolean';
        this.control = this.#makeControl(id, choices);
        this.error = make('p', { class: 'error', id: id + '-error', hidden: true });
        this.help = make('p', { class: 'note', id: id + '-help' }, this.#helpText(), ' ', noteLink(path));
        this.node = make('div', { class: this.flag ? 'field flag' : 'field', 'data-setting': path.join('.') });
        const unit = property['x-unit'] ? make('small', {}, ` (${property['x-unit']})`) : '';
        const label = make('label', { for: id }, words(path[path.length - 1]), unit);
        this.node.append(...(this.flag ? [this.control, label] : [label, this.control]), this.help, this.error);
        this.control.setAttribute('aria-describedby', `${id}-help ${id}-error`);
    }

    /** @param {string} id @param {Choice[] | null} choices @returns {HTMLInputElement | HTMLSelectElement} */
    #makeControl(id, choices) {
        if (this.flag) return make('input', { type: 'checkbox', id });
        if (choices)
            return make(
                'select',
                { id },
                ...choices.map(({ value, text }) => make('option', { value }, text)),
            );
        return make('input', { type: 'text', id, autocomplete: 'off', spellcheck: 'false' });
    }

    #helpText() {
        const { description = '' } = this.property;
        const range = rangeOf(this.property);
        return range ? `${description}${description ? '; ' : ''}${range}` : description;
    }

    /** @returns {any} */
    get value() {
        if (this.flag) return /** @type {HTMLInputElement} */ (this.control).checked;
        return valueOf(this.control.value, this.property);
    }

    /** @param {any} value */
    set value(value) {
        if (this.flag)
            /** @type {HTMLInputElement} */ (this.control).checked = value === true;
        else this.control.value = textOf(value);
    }

    /** @param {string[]} sentences */
    complain(sentences) {
        complainOf(this.control, this.error, sentences);
    }
}

/** @param {Property} property @returns {Choice[] | null} */
const choicesOf = (property) => property.enum?.map((value) => ({ value, text: value })) ?? null;

export class SettingsForm {
    /**
     * @param {{properties: Record<string, Property>}} schema
     * @param {Record<string, Choice[]>} choices for settings whose values the schema does not know: data sets
     * @param {() => void} changed
     * @param {string} [prefix] of the fields' ids: two forms on a page need two
     */
    constructor(schema, choices, changed, prefix = 'setting') {
        this.prefix = prefix;
        /** @type {Field[]} */ this.fields = [];
        /** @type {Record<string, any>} */ this.base = {};
        this.choices = choices;
        this.node = make('div');
        this.node.append(...this.#groups(schema.properties));
        this.node.addEventListener('input', () => {
            this.#mark();
            changed();
        });
    }

    /** @param {Record<string, Property>} properties */
    #groups(properties) {
        /** @type {Map<string, Field[]>} */
        const groups = new Map();
        for (const [name, property] of Object.entries(properties)) {
            const group = property['x-group'] ?? OTHER;
            groups.set(group, [...(groups.get(group) ?? []), ...this.#make([name], property)]);
        }
        return [...groups].map(([group, fields]) =>
            make(
                'fieldset',
                {},
                make('legend', {}, group),
                make('div', { class: 'fields' }, ...fields.map((field) => field.node)),
            ),
        );
    }

    /** @param {string[]} path @param {Property} property @returns {Field[]} */
    #make(path, property) {
        if (property.properties)
            return Object.entries(property.properties).flatMap(([name, part]) => this.#make([...path, name], part));
        const field = new Field(path, property, this.choices[path.join('.')] ?? choicesOf(property), this.prefix);
        this.fields.push(field);
        return [field];
    }

    /** Begin from this configuration: every field shows its value. @param {Record<string, any>} config */
    begin(config) {
        this.base = config;
        for (const field of this.fields) field.value = this.#baseOf(field);
        this.complain([]);
        this.#mark();
    }

    /** @param {Field} field */
    #baseOf(field) {
        return settingAt(this.base, field.path.join('.'));
    }

    /** @param {Field} field */
    #isChanged(field) {
        return JSON.stringify(field.value) !== JSON.stringify(this.#baseOf(field));
    }

    #mark() {
        for (const field of this.fields) field.node.classList.toggle('changed', this.#isChanged(field));
    }

    /** The settings that differ from what it began with, and how many they are. */
    read() {
        /** @type {Record<string, any>} */
        const settings = {};
        const changed = this.fields.filter((field) => this.#isChanged(field));
        for (const field of changed) {
            let at = settings;
            for (const name of field.path.slice(0, -1)) at = at[name] ??= {};
            at[field.path[field.path.length - 1]] = field.value;
        }
        return { settings, count: changed.length };
    }

    /**
     * Show every error at its field.
     * @param {{pointer: string, detail: string}[]} errors
     * @returns {{first: HTMLElement | null, others: string[]}} the first field complained about, and the errors of
     *          which there is no field
     */
    complain(errors) {
        /** @type {Map<Field, string[]>} */
        const sentences = new Map();
        const others = [];
        for (const { pointer, detail } of errors) {
            const names = pointer
                .split('/')
                .slice(1)
                .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
            const field = this.fields.find(
                (each) => names[0] === 'config' && each.path.every((name, i) => names[i + 1] === name),
            );
            if (field) sentences.set(field, [...(sentences.get(field) ?? []), detail]);
            else others.push(`${pointer}: ${detail}`);
        }
        for (const field of this.fields) field.complain(sentences.get(field) ?? []);
        return { first: this.fields.find((field) => sentences.has(field))?.control ?? null, others };
    }
}
