// generate.mjs - values out of a JSON Schema: right ones, wrong ones, and their text in every form that JSON allows.

/** Numbers that repeat with their seed (mulberry32). */
export class Random {
    constructor(seed) {
        this.state = seed >>> 0;
    }

    /** From 0 to below 1. */
    number() {
        this.state = (this.state + 0x6D2B79F5) >>> 0;
        let t = this.state;
        t = Math.imul(t ^ (t >>> 15), t | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    }

    below(count) {
        return Math.floor(this.number() * count);
    }

    chance(share) {
        return this.number() < share;
    }

    pick(list) {
        return list[this.below(list.length)];
    }
}

const CHARACTERS = [...'abcXYZ019 _-.,:;!?/\\"\'<>{}[]$%&=+#@~^|äß€漢😀'];

/** Makes values of the schemas of a document. */
export class Generator {
    constructor(api, random) {
        this.api = api;
        this.random = random;
    }

    /** A value that the schema allows. */
    right(schema) {
        const given = this.api.resolve(schema), { random } = this;
        if (given.const !== undefined)
            return given.const;
        if (given.enum !== undefined)
            return random.pick(given.enum);
        if (given.properties === undefined && given.oneOf !== undefined)
            return this.right(random.pick(given.oneOf));
        switch (Array.isArray(given.type) ? random.pick(given.type) : given.type) {
        case 'object': return this.object(given);
        case 'array': return this.array(given);
        case 'string': return this.string(given.minLength ?? 0, given.maxLength ?? 30);
        case 'integer': return this.integer(given);
        case 'number': return this.real(given);
        case 'boolean': return random.chance(0.5);
        default: return null;
        }
    }

    object(schema) {
        const share = this.random.pick([0, 0.1, 0.5, 1]), entries = Object.entries(schema.properties ?? {});
        return Object.fromEntries(entries.filter(([name]) => this.random.chance(share) || schema.required?.includes(name))
            .map(([name, each]) => [name, this.right(each)]));
    }

    array(schema) {
        const least = schema.minItems ?? 0, most = Math.min(schema.maxItems ?? 8, 8);
        const list = Array.from({ length: least + this.random.below(most - least + 1) }, () => this.right(schema.items));
        return schema.uniqueItems ? [...new Map(list.map((each) => [JSON.stringify(each), each])).values()] : list;
    }

    /** Lengths count characters in a schema and bytes in the daemon: long strings are ASCII. */
    string(least, most) {
        const long = this.random.chance(0.1), length = least + this.random.below((long ? most : Math.min(most, least + 10)) - least + 1);
        const characters = length > most / 4 ? CHARACTERS.slice(0, 30) : CHARACTERS;
        return Array.from({ length }, () => this.random.pick(characters)).join('');
    }

    integer({ minimum = 0, maximum = 1000 }) {
        return this.random.pick([minimum, maximum, minimum + this.random.below(Math.min(maximum - minimum + 1, 100)),
            minimum + Math.floor(this.random.number() * (maximum - minimum))]);
    }

    real({ minimum, exclusiveMinimum, maximum = 1e6 }) {
        const low = minimum ?? exclusiveMinimum ?? 0, span = maximum - low;
        const value = this.random.pick([maximum, low + span * this.random.number(), low + span * this.random.number() ** 8,
            low + span * 2 ** -this.random.below(60), ...(minimum !== undefined ? [minimum] : [])]);
        return value > low || minimum !== undefined ? Math.min(value, maximum) : maximum;
    }

    /** A value that the schema refuses. */
    wrong(schema) {
        for (;;) {
            const value = this.random.pick([() => this.strange(), () => this.damaged(schema)])();
            if (this.api.problem(schema, value) !== null)
                return value;
        }
    }

    /** Anything at all. */
    strange(depth = 0) {
        const list = () => Array.from({ length: this.random.below(4) }, () => this.strange(depth + 1));
        const object = () => Object.fromEntries(list().map((value) => [this.string(0, 10), value]));
        return this.random.pick([() => null, () => true, () => false, () => -1, () => 0.5, () => 1e300, () => -1e-300, () => 2 ** 53,
            () => this.random.number() * 1e6 - 5e5, () => '', () => this.string(0, 12), () => 'x'.repeat(9000), () => 'bell\x07',
            ...(depth < 3 ? [list, object] : [])])();
    }

    /** A right value with something wrong in it, or not. */
    damaged(schema) {
        const value = this.right(schema);
        if (Array.isArray(value) && value.length > 0)
            return value.map((each) => this.random.chance(0.3) ? this.strange() : each);
        if (value !== null && typeof value === 'object')
            return { ...value, [this.random.pick([this.string(1, 8), 'epohcs', 'pixles', '', 'a/b~c'])]: this.strange() };
        if (typeof value === 'number')
            return this.random.pick([-value - 1, value * 1e9 + 1, value + 0.5, String(value)]);
        return typeof value === 'string' ? `${value}\x01` : this.strange();
    }

    /** The text of a value: spaces, escapes and exponents where JSON allows them. */
    text(value) {
        const space = () => this.random.chance(0.1) ? this.random.pick([' ', '\n', '\t', '\r\n', '   ']) : '';
        const around = (text) => space() + text + space();
        if (Array.isArray(value))
            return around(`[${value.length > 0 ? value.map((each) => this.text(each)).join(',') : space()}]`);
        if (value !== null && typeof value === 'object')
            return around(`{${Object.entries(value).map(([name, each]) => `${around(this.stringText(name))}:${this.text(each)}`).join(',')}}`);
        return around(typeof value === 'string' ? this.stringText(value) : typeof value === 'number' ? this.numberText(value)
            : String(value));
    }

    stringText(value) {
        const units = [...value].map((each) => this.random.chance(0.05) ? [...Array(each.length).keys()].map((i) =>
            `\\u${each.charCodeAt(i).toString(16).padStart(4, '0')}`).join('') : JSON.stringify(each).slice(1, -1));
        return `"${units.join('')}"`;
    }

    /** Another spelling of the same number, where it is one. */
    numberText(value) {
        const forms = [String(value), value.toExponential(), value.toExponential().toUpperCase(), `${String(value)}.0`, `${String(value)}e0`];
        const form = this.random.pick(forms);
        return /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/.test(form) && Number(form) === value ? form : String(value);
    }
}
