/* mathml.js - a formula's tree as MathML, the way it is written on paper. */

/** @typedef {import('./expression.js').Node} Node */
/** @typedef {import('./expression.js').Formula} Formula */

/** Names that are written with another sign. */
/** @type {Record<string, string>} */
const SIGNS = {
    alpha: 'α',
    beta: 'β',
    epsilon: 'ε',
    eta: 'η',
    gamma: 'γ',
    kappa: 'κ',
    lambda: 'λ',
    mu: 'μ',
    pi: 'π',
    sigma: 'σ',
    theta: 'θ',
};

/** What an index runs up to. @type {Record<string, string>} */
const BOUNDS = { b: 'B', c: 'C', e: 'C', i: 'K', j: 'N', k: 'N', l: 'L', m: 'B', p: 'P', q: 'P', u: 'U', v: 'U' };

const MARKS = { pos: '+', neg: '−' };
const TALL = ['sum', 'mean', 'max'];

/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
/** @param {string} text */
const operator = (text) => `<mo>${escaped(text)}</mo>`;
/** @param {...string} parts */
const row = (...parts) => `<mrow>${parts.join('')}</mrow>`;
/** Brackets as tall as what they hold; around what stands on one line they would only look large.
 * @param {string} left @param {string} inner @param {string} right */
function bracketed(left, inner, right) {
    const stretchy = /<(mfrac|munder)/.test(inner);
    const bracket = (/** @type {string} */ sign) => `<mo stretchy="${stretchy}">${sign}</mo>`;
    return row(bracket(left), inner, bracket(right));
}
/** @param {string} inner */
const parentheses = (inner) => bracketed('(', inner, ')');

/** A name, its marks and its indices: g_pos is g with a plus, beta1 has its number below, x_hat a hat. @param {string} name
 * @param {Node[]} at */
function nameOf(name, at) {
    const [stem, ...marks] = name.split('_');
    const [, letters, digits] = /** @type {RegExpExecArray} */ (/^([A-Za-z]+?)(\d*)$/.exec(stem));
    const sign = SIGNS[letters] ?? letters;
    let base = [...sign].length > 1 ? `<mi mathvariant="normal">${sign}</mi>` : `<mi>${sign}</mi>`;
    const above = [];
    for (const mark of marks) {
        if (mark === 'hat') base = `<mover accent="true">${base}<mo>^</mo></mover>`;
        else if (mark === 'bar') base = `<mover accent="true">${base}<mo>¯</mo></mover>`;
        else if (mark === 'new') above.push(operator('′'));
        else above.push(mark in MARKS ? operator(MARKS[/** @type {'pos' | 'neg'} */ (mark)]) : `<mi>${mark}</mi>`);
    }
    const below = [digits && `<mn>${digits}</mn>`, ...at.map((each) => drawn(each))].filter(Boolean);
    const sub = below.length ? row(below.join(at.length > 1 ? '<mo separator="true">,</mo>' : '')) : '';
    const top = above.length ? row(...above) : '';
    if (sub && top) return `<msubsup>${base}${sub}${top}</msubsup>`;
    if (sub) return `<msub>${base}${sub}</msub>`;
    return top ? `<msup>${base}${top}</msup>` : base;
}

/** How strongly a node holds together: 1 sum, 2 product, 3 the rest. @param {Node} node */
function strength(node) {
    if (node.kind === 'minus') return 1;
    if (node.kind === 'call') return TALL.includes(node.name) ? 2 : 3;
    if (node.kind !== 'binary') return 3;
    return node.operator === '+' || node.operator === '-' ? 1 : node.operator === '*' ? 2 : 3;
}

/** Without brackets that only the text needs. @param {Node} node @returns {Node} */
const bare = (node) => (node.kind === 'bracket' ? bare(node.of) : node);

/** With brackets where they are needed to be read. @param {Node} node @param {number} least */
function within(node, least) {
    const inner = bare(node);
    return strength(inner) < least ? parentheses(drawn(inner)) : drawn(inner);
}

/** @param {Node & {kind: 'binary'}} node */
function binary({ operator: sign, left, right }) {
    if (sign === '/') return `<mfrac>${row(drawn(bare(left)))}${row(drawn(bare(right)))}</mfrac>`;
    if (sign === '^') return `<msup>${row(power(left))}${row(drawn(bare(right)))}</msup>`;
    if (sign === '*') {
        /* A dot only where two numbers would run together. */
        const dot =
            bare(right).kind === 'number' ? '<mo>·</mo>' : '<mo>&#x2062;</mo><mspace width="0.12em"></mspace>';
        return row(within(left, 2), dot, within(right, 2));
    }
    return row(drawn(left), operator(sign === '-' ? '−' : sign), within(right, sign === '-' ? 2 : 1));
}

/** What is raised. @param {Node} node */
function power(node) {
    const inner = bare(node);
    return inner.kind === 'number' || inner.kind === 'name' ? drawn(inner) : parentheses(drawn(inner));
}

/** @param {Node & {kind: 'call'}} node */
function call({ name, of }) {
    const [first, second] = of;
    if (TALL.includes(name) && first.kind === 'name') {
        const bound = BOUNDS[first.name] ?? first.name.toUpperCase();
        const share = name === 'mean' ? `<mfrac><mn>1</mn><mi>${bound}</mi></mfrac>` : '';
        const sign = name === 'max' ? '<mi mathvariant="normal">max</mi>' : '<mo>∑</mo>';
        return row(share, `<munder>${sign}<mi>${first.name}</mi></munder>`, within(second, 2));
    }
    if (name === 'd') return `<mfrac>${row('<mo>∂</mo>', drawn(first))}${row('<mo>∂</mo>', drawn(second))}</mfrac>`;
    if (name === 'exp') return `<msup><mi>e</mi>${row(drawn(first))}</msup>`;
    if (name === 'sqrt') return `<msqrt>${drawn(first)}</msqrt>`;
    if (name === 'is' || name === 'above')
        return bracketed('[', drawn(first) + operator(name === 'is' ? '=' : '>') + drawn(second), ']');
    const title = name === 'sigmoid' ? '<mi>σ</mi>' : `<mi mathvariant="normal">${name}</mi>`;
    return row(
        title,
        '<mo>&#x2061;</mo>',
        parentheses(of.map((each) => drawn(each)).join('<mo separator="true">,</mo>')),
    );
}

/** @param {Node} node @returns {string} */
function drawn(node) {
    if (node.kind === 'number') return `<mn>${node.value}</mn>`;
    if (node.kind === 'name') return nameOf(node.name, node.at);
    if (node.kind === 'bracket') return parentheses(drawn(bare(node)));
    if (node.kind === 'minus') return row('<mo form="prefix">−</mo>', within(node.of, 2));
    return node.kind === 'binary' ? binary(node) : call(node);
}

/** @param {Formula} formula @returns {string} markup */
export const mathml = ({ left, right }) =>
    `<math display="block">${row(drawn(left), operator('='), drawn(right))}</math>`;
