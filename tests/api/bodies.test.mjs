// Random requests made from the interface's own document, right and wrong ones and torn ones: never a 500, and never
// another status than the document and the schemas say. GOODNESS_SEED repeats a run, GOODNESS_CASES says how many.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Generator, Random } from './generate.mjs';
import { Openapi } from './openapi.mjs';
import { CLASSES, ended, endless, inState, makeRun, SIDE, small, startDaemon, trains } from './support.mjs';

const SEED = Number(process.env.GOODNESS_SEED ?? Date.now() % 1e9), CASES = Number(process.env.GOODNESS_CASES ?? 120);
const IMAGES = 100;

let daemon, api, paused, finished;
before(async () => {
    daemon = await startDaemon({ dataset: { test: IMAGES } });
    api = await Openapi.of(daemon);
    finished = (await makeRun(daemon, small())).id;
    await ended(daemon, finished);
    paused = (await makeRun(daemon, endless())).id; /* it keeps the trainer: what is made below waits */
    await trains(daemon, paused);
    await daemon.json('POST', `/api/v1/runs/${paused}/pause`);
    await inState(daemon, paused, 'paused');
});
after(() => daemon.stop());

/** `body`, a string, sent as it is; the answer is one that the document describes. */
async function send(id, where, body) {
    const { method } = api.operation(id);
    const response = await daemon.request(where, { method, body, headers: { 'Content-Type': 'application/json' } });
    const answer = { status: response.status, headers: response.headers, text: await response.text() };
    assert.ok(answer.status !== 500, `${body}: ${answer.text}`);
    api.check(id, answer);
    return { ...answer, body: answer.text === '' ? null : JSON.parse(answer.text) };
}

/** Do it for so many cases, each with a seed that is told when it fails. */
async function cases(context, once, count = CASES) {
    context.diagnostic(`seed ${SEED}`);
    for (let i = 0; i < count; i++) {
        const generator = new Generator(api, new Random(SEED * 1000 + i));
        try {
            await once(generator, generator.random);
        } catch (error) {
            error.message = `GOODNESS_SEED=${SEED}, case ${i}: ${error.message}`;
            throw error;
        }
    }
}

/** The members of a body, and of its configuration, that a pointer lies in: "/config/layers/3" is "/config/layers". */
const member = (pointer) => pointer.split('/').slice(0, pointer.startsWith('/config/') ? 3 : 2).join('/');

/** Those that are wrong by the schema, which is told by one member after the other. */
function wrongMembers(schema, body) {
    const { properties } = api.resolve(schema), found = [];
    for (const [name, value] of Object.entries(body)) {
        const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        if (!Object.hasOwn(properties, name))
            found.push(pointer);
        else if (name === 'config' && value !== null && typeof value === 'object' && !Array.isArray(value))
            found.push(...wrongMembers(properties.config, value).map((each) => `/config${each}`));
        else if (api.problem(properties[name], value) !== null)
            found.push(pointer);
    }
    return found;
}

/** Some members wrong, the rest as it was. */
function spoil(generator, schema, body) {
    const { properties } = api.resolve(schema), spoilt = { ...body };
    const config = properties.config !== undefined && generator.random.chance(0.7);
    if (config)
        spoilt.config = spoil(generator, properties.config, body.config ?? {});
    for (const [name, each] of Object.entries(properties))
        if (name !== 'config' && generator.random.chance(0.1))
            spoilt[name] = generator.wrong(each);
    if (generator.random.chance(0.2))
        spoilt[generator.random.pick(['nmae', 'learning rate', 'a/b~c', 'Config', ''])] = generator.strange();
    return spoilt;
}

/** Without the members that the problems name; what is left, or null when none of them stands in it. */
function without(body, errors) {
    const left = structuredClone(body);
    let found = false;
    for (const { pointer } of errors) {
        const [, first, second] = pointer.split('/');
        const holder = second !== undefined && first === 'config' ? left.config : left, name = holder === left ? first : second;
        found ||= holder !== undefined && Object.hasOwn(holder, name);
        if (holder !== undefined)
            delete holder[name];
    }
    return found ? left : null;
}

/** What was asked for, in what there is: objects have more members than were given, in lists too. */
function filled(there, asked) {
    if (Array.isArray(asked))
        return asked.length === 1 && !Array.isArray(there) ? asked[0] : asked.map((each, i) => filled(there[i], each));
    return asked !== null && typeof asked === 'object' ? { ...there, ...asked } : asked;
}

/** A configuration as it was asked for stands in the run. */
function assertHolds(config, asked) {
    for (const [name, value] of Object.entries(asked))
        assert.deepEqual(config[name], filled(config[name], value), name);
}

test('a run is made from any right body once what does not fit together is left out, and has what was asked for', async (context) => {
    let made = 0, refused = 0;
    await cases(context, async (generator, random) => {
        let body = generator.right({ $ref: '#/components/schemas/NewRun' });
        body.config = { ...body.config, ...(random.chance(0.9) ? { dataset: 'bars' } : {}) };
        for (;;) {
            const answer = await send('makeRun', '/api/v1/runs', generator.text(body));
            if (answer.status === 201) {
                made++;
                assertHolds(answer.body.config, body.config);
                for (const name of ['name', 'notes', 'tags', 'preset'])
                    assert.deepEqual(answer.body[name], body[name] ?? answer.body[name], name);
                await send('stopRun', `/api/v1/runs/${answer.body.id}/stop`, '{}');
                assert.equal((await send('deleteRun', `/api/v1/runs/${answer.body.id}`, undefined)).status, 204);
                return;
            }
            refused++;
            assert.equal(answer.status, 422, answer.text);
            const left = without(body, answer.body.errors);
            if (left === null) { /* it does not fit what the preset or the defaults say */
                assert.ok(answer.body.errors.every(({ pointer }) => pointer.startsWith('/config/')), answer.text);
                return;
            }
            body = { ...left, config: { ...left.config, dataset: 'bars' } };
        }
    });
    context.diagnostic(`${made} made, ${refused} refused`);
    assert.ok(made > CASES / 3, `${made} made, ${refused} refused`);
});

test('every member that is wrong is named, and no other', async (context) => {
    let wrong = 0;
    await cases(context, async (generator) => {
        const schema = { $ref: '#/components/schemas/NewRun' }, body = spoil(generator, schema, generator.right(schema));
        if (body.config !== null && typeof body.config === 'object' && !Array.isArray(body.config))
            body.config = { ...body.config, dataset: body.config.dataset ?? 'bars' };
        const expected = [...new Set(wrongMembers(schema, body))].sort();
        if (expected.length === 0)
            return;
        wrong++;
        const answer = await send('makeRun', '/api/v1/runs', generator.text(body));
        assert.equal(answer.status, 422, answer.text);
        /* How settings fit each other is looked at where each is right by itself. */
        const config = expected.some((pointer) => pointer.startsWith('/config'));
        /* How layers fit each other (convolutions come first, and smaller padding than kernels) is a matter of the one setting. */
        const extra = config ? /^\/config\/(dataset|layers)$/ : /^\/config/;
        const named = [...new Set(answer.body.errors.map(({ pointer }) => member(pointer)))]
            .filter((pointer) => !extra.test(pointer) || expected.includes(pointer)).sort();
        assert.deepEqual(named, expected, JSON.stringify(body).slice(0, 600));
    });
    assert.ok(wrong > CASES / 3, String(wrong));
});

test('labels and live settings: what is right is taken, what is wrong is named', async (context) => {
    await cases(context, async (generator, random) => {
        const schema = { $ref: '#/components/schemas/RunChange' }, right = generator.right(schema);
        const body = random.chance(0.5) ? spoil(generator, schema, right) : right;
        const expected = wrongMembers(schema, body);
        const answer = await send('changeRun', `/api/v1/runs/${paused}`, generator.text(body));
        if (expected.length > 0) {
            assert.equal(answer.status, 422, JSON.stringify(body).slice(0, 600));
            const named = answer.body.errors.map(({ pointer }) => member(pointer));
            for (const pointer of expected)
                assert.ok(named.includes(pointer), `${pointer} of ${named}: ${JSON.stringify(body).slice(0, 600)}`);
        } else if (answer.status === 200) {
            assertHolds(answer.body.config, body.config ?? {});
        } else { /* a number for each of more layers than there are */
            assert.equal(answer.status, 422, answer.text);
            assert.ok(answer.body.errors.every(({ pointer }) => Array.isArray(body.config[pointer.split('/')[2]])), answer.text);
        }
    });
});

test('a prediction is answered for every right question, and no other', async (context) => {
    await cases(context, async (generator, random) => {
        const schema = { $ref: '#/components/schemas/Question' };
        const right = random.pick([() => ({ image: Array.from({ length: SIDE * SIDE }, () => random.number()) }),
            () => ({ sample: random.below(IMAGES) }), () => ({ sample: random.below(IMAGES), split: random.pick(['test', 'train']) })])();
        const body = random.chance(0.5) ? right : generator.damaged(schema);
        const fits = api.problem(schema, body) === null && (body.image === undefined ? body.sample < IMAGES
            : body.image.length === SIDE * SIDE && body.split === undefined);
        const answer = await send('predict', `/api/v1/runs/${finished}/predict`, generator.text(body));
        assert.equal(answer.status, fits ? 200 : 422, JSON.stringify(body).slice(0, 300));
        if (fits)
            assert.ok(answer.body.label < CLASSES && answer.body.probabilities.length === CLASSES);
    });
});

test('a run that waits is not resumed, whatever it is asked', async (context) => {
    const { id } = await makeRun(daemon, small());
    await cases(context, async (generator, random) => {
        const schema = { $ref: '#/components/schemas/Resumption' }, right = generator.right(schema);
        const body = random.chance(0.5) ? spoil(generator, schema, right) : right;
        const answer = await send('resumeRun', `/api/v1/runs/${id}/resume`, generator.text(body));
        if (wrongMembers(schema, body).length > 0)
            assert.equal(answer.status, 422, JSON.stringify(body));
        else
            assert.ok([409, 422].includes(answer.status), answer.text);
    }, CASES / 3);
    await send('stopRun', `/api/v1/runs/${id}/stop`, '');
});

test('query parameters are taken or refused as their schemas say', async (context) => {
    const paths = { listRuns: '/api/v1/runs', getMetrics: `/api/v1/runs/${finished}/metrics`, getEpochs: `/api/v1/runs/${finished}/epochs`,
        getWeights: `/api/v1/runs/${finished}/layers/0/weights` };
    const units = 16;
    await cases(context, async (generator, random) => {
        const [id, where] = random.pick(Object.entries(paths)), query = new URLSearchParams();
        let right = true;
        for (const each of api.operation(id).operation.parameters.map((parameter) => api.resolve(parameter))) {
            if (each.in !== 'query' || random.chance(0.5))
                continue;
            const text = each.name === 'layers' ? random.pick(['0', '1', '0,1', '1,0']) : random.chance(0.8) ? String(generator.right(each.schema)) : random.pick(['', '-1', '1.5', 'x', '1e3', ' 1',
                '18446744073709551616', '%00', 'ä']);
            query.set(each.name, text);
            const schema = api.resolve(each.schema);
            const value = schema.type === 'integer' ? (/^[0-9]+$/.test(text) && text.length < 16 ? Number(text) : null) : text;
            right &&= api.problem(schema, value) === null;
        }
        const outside = id === 'getWeights' && Number(query.get('unit') ?? 0) + Number(query.get('count') ?? 1) > units;
        const answer = await daemon.json('GET', `${where}?${query}`);
        api.check(id, answer);
        if (outside && right)
            assert.ok([400, 404].includes(answer.status), `${id}?${query}: ${answer.status}`);
        else
            assert.equal(answer.status < 400, right, `${id}?${query}: ${answer.status} ${answer.text.slice(0, 200)}`);
        if (answer.status >= 400)
            assert.ok([400, 404].includes(answer.status), answer.text);
    });
    assert.equal((await daemon.json('GET', `${paths.getMetrics}?layers=2`)).status, 400);
});

/** One byte taken away, put in, changed, or all from somewhere on left out. */
function tear(random, bytes) {
    const at = random.below(bytes.length), other = Buffer.from([random.pick([0, 0x22, 0x2C, 0x5B, 0x7D, 0x80, 0xC0, 0xFF, random.below(256)])]);
    return random.pick([() => bytes.subarray(0, at), () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]),
        () => Buffer.concat([bytes.subarray(0, at), other, bytes.subarray(at)]),
        () => Buffer.concat([bytes.subarray(0, at), other, bytes.subarray(at + 1)])])();
}

/** What JavaScript makes of it; undefined: it is not JSON, or not UTF-8. */
function parsed(bytes) {
    try {
        return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    } catch {
        return undefined;
    }
}

test('torn JSON is refused with the place, and what is still JSON is read', async (context) => {
    let torn = 0;
    await cases(context, async (generator, random) => {
        const body = { ...generator.right({ $ref: '#/components/schemas/RunChange' }), name: 'käse "x"' };
        const bytes = tear(random, Buffer.from(generator.text(body))), value = parsed(bytes);
        const answer = await send('changeRun', `/api/v1/runs/${paused}`, bytes);
        if (value === undefined && bytes.length > 0) {
            torn++;
            assert.equal(answer.status, 400, bytes.toString('latin1'));
            assert.match(answer.body.detail, /line \d+, column \d+: /);
        } else if (answer.status === 400) { /* what JavaScript takes and this does not */
            assert.match(answer.body.detail, /twice|surrogate|rounded|\\u0000|too large/);
        }
    }, CASES * 2);
    assert.ok(torn > CASES, String(torn));
});
