/* Figures as people read them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, count, duration, epochs, figure, percent } from '../../web/lib/format.js';

const plain = (text) => text.replaceAll('\u202f', ' ');

const cases = [
    [count, 36000, '36,000'],
    [count, 0, '0'],
    [count, null, '–'],
    [figure, 0.59312, '0.5931'],
    [figure, 1.3144, '1.314'],
    [figure, -0.5, '−0.5000'],
    [figure, 14.4545, '14.45'],
    [figure, 115.7541, '115.8'],
    [figure, 12345.6, '12,346'],
    [figure, 0.0000123, '1.23e-5'],
    [figure, 0, '0.0000'],
    [figure, NaN, '–'],
    [figure, undefined, '–'],
    [percent, 0.02614, '2.61 %'],
    [percent, 1, '100.00 %'],
    [percent, null, '–'],
    [duration, 0, '0.0 s'],
    [duration, 4.21, '4.2 s'],
    [duration, 9.96, '10 s'],
    [duration, 59.6, '1 min 00 s'],
    [duration, 579, '9 min 39 s'],
    [duration, 3599.7, '1 h 00 min'],
    [duration, 7500, '2 h 05 min'],
    [duration, null, '–'],
    [clock, 0.5, '0.5 s'],
    [clock, 150, '2:30'],
    [clock, 3725, '1:02:05'],
    [epochs, 3.9166, '3.92'],
    [epochs, 4, '4'],
];

for (const [format, value, text] of cases)
    test(`${format.name} of ${value} is ${text}`, () => assert.equal(plain(format(value)), text));
