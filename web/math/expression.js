/* expression.js - the language in which math.html writes its formulas: from text to a tree, and from a tree to a value.
 *
 *     a[j] = relu(z[j])                          a definition; indices run over ranges
 *     g = mean(j, a[j]^2)                        sum and mean over an index
 *     d(L, W[i,j]) = 2 / N * a[j] * x[i]         a derivative: what the tests hold against central differences
 *
 * What stands on the page is drawn from the very tree that is evaluated in the tests, so a formula cannot be shown in
 * one way and checked in another. */

/**
 * @typedef {{kind: 'number', value: number}
 *         | {kind: 'name', name: string, at: Node[]}
 *         | {kind: 'call', name: string, of: Node[]}
 *         | {kind: 'binary', operator: string, left: Node, right: Node}
 *         | {kind: 'minus', of: Node}
 *         | {kind: 'bracket', of: Node}} Node
 * @typedef {{left: Node, right: Node}} Formula
 */

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|([A-Za-z][A-Za-z0-9_]*)|([-+*/^=(),[\]]))/y;

/** @param {string} text @returns {string[]} */
function tokens(text) {
    const found = [];
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.trimEnd().length) {
        const at = TOKEN.lastIndex;
        const match = TOKEN.exec(text);
        if (!match) throw new Error(`"${text}": not understood at "${text.slice(at)}"`);
        found.push(match[0].trim());
    }
    return found;
}

class Parser {
    /** @param {string} text */
    constructor(text) {
        this.text = text;
        this.tokens = tokens(text);
        this.at = 0;
    }

    /** @param {string} token */
    #takes(token) {
        if (this.tokens[this.at] !== token) return false;
        this.at++;
        return true;
    }

    /** @param {string} token */
    #expect(token) {
        if (!this.#takes(token))
            throw new Error(`"${this.text}": "${token}" wanted, not "${this.tokens[this.at]}"`);
    }

    /** @returns {Formula} */
    formula() {
        const left = this.sum();
        this.#expect('=');
        const right = this.sum();
        if (this.at < this.tokens.length) throw new Error(`"${this.text}": too much at "${this.tokens[this.at]}"`);
        return { left, right };
    }

    /** @returns {Node} */
    sum() {
        let left = this.#product();
        for (;;) {
            const operator = this.tokens[this.at];
            if (operator !== '+' && operator !== '-') return left;
            this.at++;
            left = { kind: 'binary', operator, left, right: this.#product() };
        }
    }

    /** @returns {Node} */
    #product() {
        let left = this.#signed();
        for (;;) {
            const operator = this.tokens[this.at];
            if (operator !== '*' && operator !== '/') return left;
            this.at++;
            left = { kind: 'binary', operator, left, right: this.#signed() };
        }
    }

    /** @returns {Node} */
    #signed() {
        return this.#takes('-') ? { kind: 'minus', of: this.#signed() } : this.#power();
    }

    /** @returns {Node} */
    #power() {
        const left = this.#atom();
        return this.#takes('^') ? { kind: 'binary', operator: '^', left, right: this.#signed() } : left;
    }

    /** @returns {Node} */
    #atom() {
        const token = this.tokens[this.at++];
        if (token === '(') {
            const of = this.sum();
            this.#expect(')');
            return { kind: 'bracket', of };
        }
        if (/^\d/.test(token ?? '')) return { kind: 'number', value: Number(token) };
        if (!/^[A-Za-z]/.test(token ?? ''))
            throw new Error(`"${this.text}": "${token ?? 'the end'}" is out of place`);
        if (this.#takes('(')) return { kind: 'call', name: token, of: this.#list(')') };
        return { kind: 'name', name: token, at: this.#takes('[') ? this.#list(']') : [] };
    }

    /** @param {string} end @returns {Node[]} */
    #list(end) {
        const items = [this.sum()];
        while (this.#takes(',')) items.push(this.sum());
        this.#expect(end);
        return items;
    }
}

/** @param {string} text @returns {Formula} @throws {Error} a sentence about what is wrong */
export const parse = (text) => new Parser(text).formula();

/* --- values --- */

const sigmoid = (/** @type {number} */ t) => 0.5 * (1 + Math.tanh(0.5 * t));

/** @type {Record<string, (...values: number[]) => number>} */
const FUNCTIONS = {
    exp: Math.exp,
    log: Math.log,
    sqrt: Math.sqrt,
    cos: Math.cos,
    sin: Math.sin,
    tanh: Math.tanh,
    sigmoid,
    softplus: (t) => Math.max(t, 0) + Math.log1p(Math.exp(-Math.abs(t))),
    relu: (t) => (t > 0 ? t : 0),
    min: Math.min,
    is: (a, b) => (a === b ? 1 : 0),
    above: (a, b) => (a > b ? 1 : 0),
};

/** @type {Record<string, (values: number[]) => number>} over an index */
const FOLDS = {
    sum: (values) => values.reduce((a, b) => a + b, 0),
    mean: (values) => values.reduce((a, b) => a + b, 0) / values.length,
    max: (values) => Math.max(...values),
};

/**
 * The values of an article's formulas. Names that are defined are computed, all others are free.
 */
export class Evaluator {
    /** @type {Map<string, {indices: string[], right: Node}>} */ #defined = new Map();
    /** @type {Map<string, number>} held at a value, whatever its definition */ #held = new Map();
    /** @type {Map<string, number>} */ #known = new Map();

    /**
     * @param {Formula[]} formulas those of definitions are used
     * @param {Record<string, number>} ranges how far an index runs: {i: 5}
     * @param {(name: string, at: number[]) => number} free
     */
    constructor(formulas, ranges, free) {
        this.ranges = ranges;
        this.free = free;
        for (const { left, right } of formulas) {
            if (left.kind !== 'name') continue;
            const indices = left.at.map((each) => (each.kind === 'name' ? each.name : ''));
            this.#defined.set(left.name, { indices, right });
        }
    }

    /** Hold a name at a value: what depends on it follows, what it depends on does not matter. @param {string} name
     * @param {number[]} at @param {number} value */
    hold(name, at, value) {
        this.#held.set(`${name} ${at}`, value);
        this.#known.clear();
    }

    release() {
        this.#held.clear();
        this.#known.clear();
    }

    /** @param {string} name @param {number[]} at @returns {number} */
    valueOf(name, at) {
        const key = `${name} ${at}`;
        const known = this.#held.get(key) ?? this.#known.get(key);
        if (known !== undefined) return known;
        const found = this.#defined.get(name);
        const value = found
            ? this.value(found.right, Object.fromEntries(found.indices.map((index, i) => [index, at[i]])))
            : this.free(name, at);
        this.#known.set(key, value);
        return value;
    }

    /** @param {Node} node @param {Record<string, number>} [where] what indices are now @returns {number} */
    value(node, where = {}) {
        switch (node.kind) {
            case 'number':
                return node.value;
            case 'bracket':
                return this.value(node.of, where);
            case 'minus':
                return -this.value(node.of, where);
            case 'name':
                if (node.name in where && !node.at.length) return where[node.name];
                return this.valueOf(
                    node.name,
                    node.at.map((each) => this.value(each, where)),
                );
            case 'binary':
                return this.#binary(node.operator, this.value(node.left, where), this.value(node.right, where));
            default:
                return this.#call(node, where);
        }
    }

    /** @param {string} operator @param {number} a @param {number} b */
    #binary(operator, a, b) {
        if (operator === '+') return a + b;
        if (operator === '-') return a - b;
        if (operator === '*') return a * b;
        return operator === '/' ? a / b : a ** b;
    }

    /** @param {Node & {kind: 'call'}} node @param {Record<string, number>} where */
    #call({ name, of }, where) {
        const [first, inner] = of;
        if (name in FOLDS && first.kind === 'name') {
            const length = this.ranges[first.name];
            if (!length) throw new Error(`no range is given for the index ${first.name}`);
            return FOLDS[name](Array.from({ length }, (_, i) => this.value(inner, { ...where, [first.name]: i })));
        }
        if (!(name in FUNCTIONS)) throw new Error(`there is no function ${name}`);
        return FUNCTIONS[name](...of.map((each) => this.value(each, where)));
    }
}
