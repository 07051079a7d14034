// Runs side by side: as JSON, as CSV, as the original's table.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ended, endless, makeRun, small, startDaemon, trains } from './support.mjs';

let daemon, first, second;
before(async () => {
    daemon = await startDaemon();
    const made = [];
    for (const config of [small({ evaluate_every: 2, epochs: 3 }), small({ layers: [20], learning_rate: 0.01, dropout: { units: 0.25 } })]) {
        const { id } = await makeRun(daemon, config, { name: `run "${made.length}", of ${config.layers}`, tags: ['t'] });
        made.push(await ended(daemon, id));
    }
    [first, second] = made;
});
after(() => daemon.stop());

async function compare(query, status = 200) {
    const answer = await daemon.json('GET', `/api/v1/compare?${query}`);
    assert.equal(answer.status, status, answer.text);
    return answer;
}

const rows = (id) => daemon.json('GET', `/api/v1/runs/${id}/epochs`).then(({ body }) => body.epochs);

test('runs come in the order in which they were asked for, with what they reached', async () => {
    const { runs } = (await compare(`runs=${second.id},${first.id}`)).body;
    assert.deepEqual(runs.map((run) => run.id), [second.id, first.id]);
    for (const [i, run] of [second, first].entries()) {
        const { series, ...told } = runs[i];
        assert.deepEqual(told, { id: run.id, name: run.name, preset: run.preset, state: 'finished', layers: run.config.layers,
            parameters: run.parameters, epochs: run.config.epochs, test_error: run.last.test_error,
            accuracy: 1 - run.last.test_error, best: run.best, seconds: run.progress.elapsed,
            evaluating: run.progress.evaluating });
        const epochs = await rows(run.id);
        assert.deepEqual(series, {
            epochs: epochs.map((row) => row.epoch),
            elapsed: epochs.map((row) => row.elapsed),
            train_error: epochs.map((row) => row.train_error),
            test_error: epochs.map((row) => row.test_error),
            gaps: run.config.layers.map((_, layer) => epochs.map((row) => row.layers[layer].gap)),
        });
    }
    assert.equal(runs[1].series.test_error[0], null); /* it was not judged */
});

test('only settings that differ are shown', async () => {
    const { settings } = (await compare(`runs=${first.id},${second.id}`)).body;
    const found = Object.fromEntries(settings.map(({ name, values }) => [name, values]));
    assert.deepEqual(Object.keys(found).sort(), ['dropout', 'epochs', 'evaluate_every', 'layers', 'learning_rate']);
    assert.deepEqual(found.layers, [[16, 12], [20]]);
    assert.deepEqual(found.dropout.map((dropout) => dropout.units), [0, 0.25]);
    for (const [name, values] of Object.entries(found))
        assert.deepEqual(values, [first.config[name], second.config[name]]);
    assert.deepEqual((await compare(`runs=${first.id}`)).body.settings, []);
});

/** Fields of RFC 4180, in quotes or not. */
function fields(line) {
    return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(,|$)/g)].map((match) => match[1]).slice(0, -1)
        .map((field) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field));
}

test('CSV has a row a run, and the settings that differ', async () => {
    const { headers, text } = await compare(`runs=${first.id},${second.id}&format=csv`);
    assert.match(headers.get('content-type'), /^text\/csv/);
    const [head, ...lines] = text.trimEnd().split('\n').map(fields);
    assert.equal(lines.length, 2);
    for (const [i, run] of [first, second].entries()) {
        const row = Object.fromEntries(head.map((name, column) => [name, lines[i][column]]));
        assert.equal(lines[i].length, head.length);
        assert.equal(row.name, run.name);
        assert.equal(Number(row.test_error), run.last.test_error);
        assert.equal(Number(row.parameters), run.parameters);
        assert.equal(Number(row.seconds), run.progress.elapsed);
        assert.deepEqual(JSON.parse(row['config.layers']), run.config.layers);
        assert.equal(Number(row['config.evaluate_every']), run.config.evaluate_every);
    }
});

test('text is the comparison table', async () => {
    const { headers, text } = await compare(`runs=${first.id},${second.id}&format=text`);
    assert.match(headers.get('content-type'), /^text\/plain/);
    assert.match(text, /Comparison of the architectures/);
    assert.match(text, /^Run +Architecture +Parameters +Accuracy +Seconds +State$/m);
    for (const run of [first, second]) {
        const line = text.split('\n').find((each) => each.startsWith(run.name));
        assert.ok(line.includes(`image -> ${run.config.layers.join(' -> ')} `), line);
        assert.ok(line.includes(` ${run.parameters} `) && line.includes(` ${(1 - run.last.test_error).toFixed(4)} `), line);
        assert.ok(line.endsWith('finished'), line);
    }
});

test('a run that trains is compared as it is now', async () => {
    const { id } = await makeRun(daemon, endless({ evaluate_every: 1 }));
    await trains(daemon, id);
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    await ended(daemon, id);
    const before = (await compare(`runs=${id}`)).body.runs[0];
    assert.equal(before.series.epochs.length, (await rows(id)).length);
    await daemon.json('POST', `/api/v1/runs/${id}/resume`);
    await trains(daemon, id);
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    const run = await ended(daemon, id);
    const { series, seconds, state } = (await compare(`runs=${id}`)).body.runs[0];
    assert.deepEqual([seconds, state], [run.progress.elapsed, run.state]);
    assert.equal(series.epochs.length, (await rows(id)).length);
});

test('wrong questions are refused with what is wrong', async () => {
    for (const query of ['', 'runs=', 'runs=1,', 'runs=1,1', 'runs=0', 'runs=a', 'runs=1;2', 'runs=01',
        `runs=${Array.from({ length: 33 }, (_, i) => i + 1)}`, 'runs=1&format=xml', 'runs=1&fromat=csv']) {
        const { body } = await compare(query, 400);
        assert.match(body.detail, /runs|format/, query);
    }
    assert.match((await compare(`runs=${first.id},999`, 404)).body.detail, /999/);
});
