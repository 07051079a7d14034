/* Lines of several runs on one axis, and the settings in which they differ. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { align, valueAt } from '../../web/compare/align.js';
import { differingValues } from '../../web/lib/settings.js';

test('lines_are_laid_on_one_axis_and_no_value_is_lost_or_made_up', () => {
    const lines = [
        { x: [1, 2, 4], y: [0.5, null, 0.25] },
        { x: [2, 3], y: [0.4, 0.3] },
        { x: [], y: [] },
    ];
    assert.deepEqual(align(lines), {
        x: [1, 2, 3, 4],
        lines: [
            [0.5, null, undefined, 0.25],
            [undefined, 0.4, 0.3, undefined],
            [undefined, undefined, undefined, undefined],
        ],
    });
});

test('at_a_place_of_another_run_a_run_has_the_value_it_had_last', () => {
    const values = [undefined, 0.4, undefined, null, undefined];
    assert.deepEqual(
        [0, 1, 2, 3, 4].map((at) => valueAt(values, at)),
        [undefined, 0.4, 0.4, null, null],
    );
});

test('of_a_setting_with_parts_only_those_that_differ_are_told', () => {
    const values = [
        { shift: 0, flip: false },
        { shift: 1, flip: false },
    ];
    assert.deepEqual(differingValues({ name: 'augment', values }), [{ name: 'augment.shift', values: [0, 1] }]);
    const layers = { name: 'layers', values: [[500], [300, 10]] };
    assert.deepEqual(differingValues(layers), [layers]);
});
