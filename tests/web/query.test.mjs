/* Which runs a question finds, in which settings runs differ, and figures as a file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvText } from '../../web/lib/csv.js';
import { differingSettings, settingPaths, settingText } from '../../web/lib/settings.js';
import { byColumn, FIXED, settingColumn } from '../../web/runs/columns.js';
import { readQuery } from '../../web/runs/query.js';

const run = (id, more = {}, config = {}) => ({
    id,
    name: `run ${id}`,
    state: 'finished',
    pending: null,
    preset: 'pairs',
    tags: [],
    notes: '',
    created: '2026-01-01T00:00:00Z',
    ended: null,
    best: null,
    last: null,
    parameters: 10,
    progress: { epoch: 1, epochs: 1, step: 1, steps: 1, elapsed: 1, remaining: null, samples_per_second: null },
    config: { dataset: 'mnist', learning_rate: 0.01, layers: [20, 10], dropout: { pixels: 0 }, ...config },
    ...more,
});

const RUNS = [
    run(1, { name: 'wide and slow', best: { test_error: 0.015, epoch: 3 } }),
    run(2, { tags: ['numpy', 'two words'], state: 'running' }, { learning_rate: 0.1 }),
    run(
        3,
        { notes: 'after the talk', best: { test_error: 0.3, epoch: 1 } },
        { layers: [500], dropout: { pixels: 0.2 } },
    ),
    run(4, { preset: null }, { learning_rate: [0.01, 0.02], dataset: 'fashion-mnist' }),
];
const SETTINGS = settingPaths(RUNS[0].config);

const found = (text) => RUNS.filter(readQuery(text, SETTINGS).test).map(({ id }) => id);

const cases = [
    ['', [1, 2, 3, 4]],
    ['wide', [1]],
    ['SLOW wide', [1]],
    ['wide talk', []],
    ['talk', [3]],
    ['fashion', [4]],
    ['state:running', [2]],
    ['tag:numpy', [2]],
    ['tag:"two words"', [2]],
    ['"two words"', [2]],
    ['"words two"', []],
    ['best_error<2%', [1]],
    ['best_error<0.02', [1]],
    ['error>=30%', [3]],
    ['learning_rate=0.1', [2]],
    ['learning_rate<=0.01', [1, 3]],
    ['learning_rate:0.02', [4]],
    ['layers:500', [3]],
    ['dropout.pixels>0', [3]],
    ['dataset=mnist state:finished', [1, 3, 4]],
    ['id>2', [3, 4]],
];
for (const [text, ids] of cases)
    test(`the_question_${text || 'nothing'}_finds_${ids.join('_') || 'none'}`, () =>
        assert.deepEqual(found(text), ids));

test('a_question_that_is_not_understood_is_said_and_the_rest_of_it_holds', () => {
    const unknown = readQuery('learningrate<1 wide', SETTINGS);
    assert.match(unknown.problem, /learningrate/);
    assert.deepEqual(
        RUNS.filter(unknown.test).map(({ id }) => id),
        [1],
    );
    assert.match(readQuery('best_error<two', SETTINGS).problem, /needs a number/);
    assert.equal(readQuery('wide', SETTINGS).problem, null);
});

test('runs_differ_in_settings_whose_values_are_not_all_alike', () => {
    assert.deepEqual(differingSettings([RUNS[0], RUNS[1]]), ['learning_rate']);
    assert.deepEqual(differingSettings([RUNS[0], RUNS[2]]), ['layers', 'dropout.pixels']);
    assert.deepEqual(differingSettings([RUNS[0], RUNS[0]]), []);
    assert.deepEqual(differingSettings([RUNS[0]]), []);
    const older = run(9);
    delete older.config.learning_rate;
    assert.deepEqual(differingSettings([RUNS[0], older]), ['learning_rate'], 'one that a run does not have');
});

test('settings_are_written_as_a_person_writes_them', () => {
    assert.equal(settingText([500, 300]), '500, 300');
    assert.equal(settingText(true), 'on');
    assert.equal(settingText(undefined), '–');
    const layer = { kind: 'conv', channels: 40, kernel: 5, stride: 1, padding: 2, pool: 2 };
    assert.equal(settingText([layer, 10]), 'conv 40 5×5 padding 2 pool 2, 10');
});

test('runs_are_sorted_by_number_or_text_and_those_without_a_value_come_last_either_way', () => {
    const by = (column, falling) => [...RUNS].sort(byColumn(column, falling)).map(({ id }) => id);
    const best = FIXED.find(({ id }) => id === 'best_error');
    assert.deepEqual(by(best, false), [1, 3, 4, 2]);
    assert.deepEqual(by(best, true), [3, 1, 4, 2]);
    assert.deepEqual(by(settingColumn('dataset'), false), [4, 3, 2, 1]);
});

test('a_file_of_values_quotes_what_must_be_quoted_and_leaves_out_what_is_not_known', () => {
    const rows = [
        [1, 'plain', null],
        [0.1, 'a "b", c', undefined],
        [-2.5e-7, 'two\nlines', 3],
    ];
    assert.equal(
        csvText(['x', 'y', 'z'], rows),
        'x,y,z\r\n1,plain,\r\n0.1,"a ""b"", c",\r\n-2.5e-7,"two\nlines",3\r\n',
    );
});
