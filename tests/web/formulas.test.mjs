/* The formulas of the page of mathematics: every derivative against central differences, and losses, optimizers and
 * peer normalization against the golden cases that the program is held to. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Evaluator, parse } from '../../web/math/expression.js';
import { mathml } from '../../web/math/mathml.js';

const PAGE = readFileSync(new URL('../../web/math.html', import.meta.url), 'utf8');
const RANGES = { b: 4, c: 3, e: 3, i: 5, j: 6, k: 6, l: 2, m: 4, p: 4, q: 4, u: 2, v: 2 };
const SIZES = { B: 4, C: 3, K: 5, N: 6, P: 4, U: 2 };
const POSITIVE = /^(T|alpha|beta\d?|epsilon|eta|gamma|kappa|lambda|sigma|s|w|d|n|S)$/;

/** The articles of the page: their formulas as text, and the values that names must have. */
const ARTICLES = [...PAGE.matchAll(/<article[^>]* id="([^"]+)"([^>]*)>(.*?)<\/article>/gs)].map(
    ([, id, attributes, inner]) => ({
        id,
        values: Object.fromEntries(
            (/data-values="([^"]*)"/.exec(attributes)?.[1] ?? '')
                .split(' ')
                .filter(Boolean)
                .map((pair) => pair.split('='))
                .map(([name, value]) => [name, Number(value)]),
        ),
        formulas: [...inner.matchAll(/<code class="formula">([^<]*)<\/code>/g)].map(([, text]) => text),
    }),
);

const article = (id) => ARTICLES.find((each) => each.id === id);

/** A number in -1 to 1, by name, place and try: the same in every run of the tests. */
function drawn(name, at, attempt) {
    let hash = 2166136261 ^ attempt;
    for (const character of `${name}[${at}]`) hash = Math.imul(hash ^ character.codePointAt(0), 16777619);
    hash = Math.imul(hash ^ (hash >>> 15), 2246822519);
    hash = Math.imul(hash ^ (hash >>> 13), 3266489917);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 31 - 1;
}

function evaluatorOf({ formulas, values }, attempt) {
    return new Evaluator(formulas.map(parse), RANGES, (name, at) => {
        if (name in values) return values[name];
        if (name in SIZES && !at.length) return SIZES[name];
        const value = drawn(name, at, attempt);
        return POSITIVE.test(name) ? 0.6 + 0.3 * value : value;
    });
}

/** Every way to give these indices values. */
const places = (indices) =>
    indices.reduce(
        (all, index) =>
            all.flatMap((at) => Array.from({ length: RANGES[index] }, (_, i) => ({ ...at, [index]: i }))),
        [{}],
    );

const indicesOf = (node) => node.at.map((each) => each.name);

/** The central difference of one name by another. */
function difference(evaluator, of, by, where) {
    const at = (node) => indicesOf(node).map((index) => where[index]);
    const step = 1e-5;
    evaluator.release();
    const middle = evaluator.valueOf(by.name, at(by));
    const [above, below] = [middle + step, middle - step].map((value) => {
        evaluator.release();
        evaluator.hold(by.name, at(by), value);
        return evaluator.valueOf(of.name, at(of));
    });
    evaluator.release();
    return (above - below) / (2 * step);
}

for (const each of ARTICLES) {
    const derivatives = each.formulas.map(parse).filter(({ left }) => left.kind === 'call');
    for (const [index, { left, right }] of derivatives.entries()) {
        const [of, by] = left.of;
        test(`${each.id}_derivative_${index + 1}_d${of.name}_d${by.name}_is_the_central_difference`, () => {
            assert.equal(left.name, 'd');
            for (const attempt of [1, 2, 3]) {
                const evaluator = evaluatorOf(each, attempt);
                let largest = 0;
                for (const where of places([...new Set([...indicesOf(of), ...indicesOf(by)])])) {
                    const numeric = difference(evaluator, of, by, where);
                    const said = evaluator.value(right, where);
                    largest = Math.max(largest, Math.abs(said));
                    assert.ok(Math.abs(numeric - said) < 1e-6 * (1 + Math.abs(said)), `${said}, but ${numeric}`);
                }
                assert.ok(largest > 1e-4, 'it is not zero everywhere');
            }
        });
    }
}

test('every_rule_has_its_article_and_most_of_them_a_derivative', () => {
    const wanted = [
        'forward goodness normalize input label pairs logistic symba gap original hard-negatives class-groups unsupervised',
        'backprop dropout peer-normalization batch-normalization augmentation convolution-goodness pooling sgd',
        'momentum adam schedule average predict-goodness readout evaluation init',
    ];
    assert.deepEqual(ARTICLES.map(({ id }) => id).sort(), wanted.join(' ').split(' ').sort());
    const derivatives = ARTICLES.flatMap(({ formulas }) => formulas.filter((text) => text.startsWith('d(')));
    assert.ok(derivatives.length >= 30, `${derivatives.length}`);
});

test('every_formula_can_be_evaluated_to_a_finite_number', () => {
    for (const each of ARTICLES)
        for (const { left, right } of each.formulas.map(parse)) {
            const indices = left.kind === 'call' ? left.of.flatMap(indicesOf) : indicesOf(left);
            for (const where of places([...new Set(indices)]))
                assert.ok(Number.isFinite(evaluatorOf(each, 1).value(right, where)), `${each.id}: ${left.name}`);
        }
});

const golden = (name) => JSON.parse(readFileSync(new URL(`../data/golden/${name}.json`, import.meta.url), 'utf8'));

/** The value of a name of an article where all else is as given. */
const valueWith = (id, name, values) => evaluatorOf({ ...article(id), values }, 1).valueOf(name, []);

for (const [id, name] of [
    ['logistic', 'logistic_relu_mean'],
    ['logistic', 'logistic_relu_sum'],
    ['symba', 'symba_relu_mean'],
    ['gap', 'original_batched'],
])
    test(`the_loss_of_${id}_is_that_of_the_golden_case_${name}`, () => {
        const { spec, steps } = golden(name);
        for (const { layers } of steps)
            for (const { pos, neg, loss } of layers)
                pos.forEach((positive, i) => {
                    const values = { g_pos: positive, g_neg: neg[i], theta: spec.threshold, T: spec.temperature };
                    const said = valueWith(id, 'L', { ...values, alpha: spec.alpha });
                    assert.ok(Math.abs(said - loss[i]) < 1e-9 * (1 + Math.abs(loss[i])), `${said}, but ${loss[i]}`);
                });
    });

test('optimizers_are_those_of_the_golden_cases', () => {
    for (const { spec, initial, gradients, after } of golden('optimizers').runs) {
        let [w, v, m] = [initial.W[0][0], 0, 0];
        gradients.forEach((gradient, i) => {
            const values = {
                w,
                v,
                m,
                h: gradient.W[0][0],
                t: i + 1,
                eta: spec.learning_rate,
                lambda: spec.weight_decay,
                mu: spec.momentum,
                beta1: spec.beta1,
                beta2: spec.beta2,
                epsilon: spec.adam_epsilon,
            };
            const id = spec.optimizer;
            const next = valueWith(id, 'w_new', values);
            if (id !== 'sgd') v = valueWith(id, 'v_new', values);
            if (id === 'adam') m = valueWith(id, 'm_new', values);
            w = next;
            const wanted = after[i].W[0][0];
            assert.ok(
                Math.abs(w - wanted) < 1e-12 + 1e-9 * Math.abs(wanted),
                `${id}, step ${i + 1}: ${w}, ${wanted}`,
            );
        });
    }
});

test('the_step_of_the_original_trains_as_its_golden_case_does', () => {
    const { spec, sizes, classes, initial, steps, final } = golden('original_per_sample');
    const formulas = article('original').formulas.map(parse);
    const label = (of) => Array.from({ length: classes }, (_, c) => (c === of ? 1 : 0));
    const table = (rows, columns, valueAt) =>
        Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => valueAt(i, j)));
    const layers = structuredClone(initial);

    for (const { images, labels, wrong_labels: wrong } of steps) {
        let [positive, negative] = [labels, wrong].map(([of]) => [...label(of), ...images[0]]);
        layers.forEach((layer, l) => {
            const [inputs, units] = [sizes[l], sizes[l + 1]];
            const evaluator = new Evaluator(formulas, { i: inputs, j: units }, (name, at) => {
                if (name === 'eta') return spec.learning_rate;
                if (name === 'b') return layer.b[at[0]];
                if (name === 'W') return layer.W[at[0]][at[1]];
                return (name === 'x_pos' ? positive : negative)[at[0]];
            });
            const valuesOf = (name) => Array.from({ length: units }, (_, j) => evaluator.valueOf(name, [j]));
            const next = {
                W: table(inputs, units, (i, j) => evaluator.valueOf('W_new', [i, j])),
                b: valuesOf('b_new'),
            };
            [positive, negative] = [valuesOf('y_pos'), valuesOf('y_neg')];
            layers[l] = next;
        });
    }
    layers.forEach(({ W, b }, l) => {
        const [found, wanted] = [[...W.flat(), ...b], [...final[l].W.flat(), ...final[l].b]];
        found.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < 1e-10, `layer ${l}: ${value}, ${wanted[i]}`));
    });
});

test('the_splines_of_an_elastic_change_add_up_to_one_everywhere', () => {
    const formulas = article('augmentation').formulas.map(parse);
    for (const x of [0, 0.25, 0.5, 0.9]) {
        const evaluator = new Evaluator(formulas, { p: 4, q: 4 }, (name, [q]) => (name === 'u' ? Math.abs(x + 1 - q) : 1));
        const splines = [0, 1, 2, 3].map((q) => evaluator.valueOf('k', [q]));
        assert.ok(Math.abs(splines.reduce((a, b) => a + b) - 1) < 1e-12);
        assert.ok(Math.abs(evaluator.valueOf('d1', []) - 1) < 1e-12, 'the same shift at every control is that shift');
    }
});

test('what_is_wrong_in_a_formula_is_said', () => {
    assert.throws(() => parse('a = 2 +'), /out of place/);
    assert.throws(() => parse('a = (2'), /"\)" wanted/);
    assert.throws(() => parse('a = 2 ? 3'), /not understood/);
    assert.throws(() => parse('a = 2 3'), /too much/);
});

test('a_formula_is_drawn_as_it_is_written_on_paper', () => {
    const drawnOf = (text) =>
        mathml(parse(text))
            .replace(/<\/?mrow>|<mspace[^>]*><\/mspace>|<mo>&#x206[12];<\/mo>/g, '')
            .replace(/<math display="block">|<\/math>/g, '');
    assert.equal(drawnOf('a = b / 2'), '<mi>a</mi><mo>=</mo><mfrac><mi>b</mi><mn>2</mn></mfrac>');
    assert.equal(
        drawnOf('g_pos = x^2'),
        '<msup><mi>g</mi><mo>+</mo></msup><mo>=</mo><msup><mi>x</mi><mn>2</mn></msup>',
    );
    assert.equal(
        drawnOf('d(L, g) = -alpha'),
        '<mfrac><mo>∂</mo><mi>L</mi><mo>∂</mo><mi>g</mi></mfrac><mo>=</mo><mo form="prefix">−</mo><mi>α</mi>',
    );
    assert.match(drawnOf('a = 2 * (b + c)'), /<mn>2<\/mn><mo stretchy="false">\(<\/mo><mi>b/);
    assert.match(drawnOf('a = sum(i, x[i])'), /<munder><mo>∑<\/mo><mi>i<\/mi><\/munder><msub>/);
});
