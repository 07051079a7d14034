/* trial_bars.js - what the network makes of an image, as bars: for every label the goodness of every layer, stacked, and
 * the probability. */

import { figure, percent } from '../lib/format.js';
import { sumOf } from '../lib/numbers.js';
import { FONT } from '../lib/scale.js';
import { colour } from '../lib/theme.js';

/**
 * @typedef {{label: number, truth?: number, step: number, probabilities: (number | null)[],
 *            goodness: (number | null)[][]}} Answer goodness: [layer][label], or [layer][1] of a network that is shown no
 *            labels
 */

const ROW = 26; /* pixels */
const BAR = 16;
const MOST = 20; /* labels shown */
const BOLD = FONT.replace('12px', '600 12px');

const COLOURS = 6; /* --layer-0 and on; deeper layers begin again */

/** The colour of a layer, as a token. @param {number} layer */
export const layerColour = (layer) => `--layer-${layer % COLOURS}`;

/** Whether a layer's goodness depends on the label. @param {Answer} answer */
export const hasLabels = (answer) => answer.goodness.every((layer) => layer.length === answer.probabilities.length);

/** What a layer makes of the image with a label; 0 where none is shown. @param {Answer} answer @param {number} layer
 * @param {number} label */
const goodnessOf = (answer, layer, label) => (hasLabels(answer) ? (answer.goodness[layer][label] ?? 0) : 0);

/** The labels shown: all, or the most probable where there are many. @param {Answer} answer */
function labelsShown({ probabilities }) {
    const labels = probabilities.map((_, label) => label);
    if (labels.length <= MOST) return labels;
    return labels.sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0)).slice(0, MOST);
}

/** @param {Answer} answer */
export const barsHeight = (answer) => ROW * labelsShown(answer).length + 8;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {Answer} answer
 * @param {number} from the first layer that counts for the label; those below are drawn hollow
 */
export function drawBars(context, width, answer, from) {
    const labels = labelsShown(answer);
    const sums = labels.map((label) => sumOf(answer.goodness.map((_, layer) => goodnessOf(answer, layer, label))));
    const left = 34;
    const chance = 128;
    const room = Math.max(20, width - left - chance - 12);
    const scale = room / Math.max(...sums, 1e-9);

    labels.forEach((label, row) => {
        const y = 4 + row * ROW;
        drawLabel(context, answer, label, y);
        drawStack(context, answer, label, { x: left, y, scale, from });
        drawChance(context, answer.probabilities[label], { x: width - chance, y, bold: label === answer.label });
    });
}

/** @param {CanvasRenderingContext2D} context @param {Answer} answer @param {number} label @param {number} y */
function drawLabel(context, answer, label, y) {
    context.textAlign = 'right';
    context.font = label === answer.label ? BOLD : FONT;
    context.fillStyle = colour('--text');
    context.fillText(`${label === answer.truth ? '✓ ' : ''}${label}`, 26, y + 12);
    context.textAlign = 'left';
}

/** @param {CanvasRenderingContext2D} context @param {Answer} answer @param {number} label
 * @param {{x: number, y: number, scale: number, from: number}} where */
function drawStack(context, answer, label, { x, y, scale, from }) {
    if (!hasLabels(answer)) return;
    answer.goodness.forEach((_, index) => {
        const wide = goodnessOf(answer, index, label) * scale;
        context.fillStyle = context.strokeStyle = colour(layerColour(index));
        if (index >= from) context.fillRect(x, y, Math.max(wide - 1, 0.5), BAR);
        else context.strokeRect(x + 0.5, y + 0.5, Math.max(wide - 2, 0.5), BAR - 1);
        x += wide;
    });
}

/** @param {CanvasRenderingContext2D} context @param {number | null} chance
 * @param {{x: number, y: number, bold: boolean}} where */
function drawChance(context, chance, { x, y, bold }) {
    context.fillStyle = colour('--line');
    context.fillRect(x, y + 5, 60, 6);
    context.fillStyle = colour('--ink');
    context.fillRect(x, y + 5, 60 * (chance ?? 0), 6);
    context.fillStyle = colour('--text');
    context.font = bold ? BOLD : FONT;
    context.fillText(percent(chance, 1), x + 68, y + 12);
}

/** The same as a table and a file. @param {Answer} answer @returns {import('../lib/figures.js').Figures} */
export function figuresOf(answer) {
    return {
        caption: 'What the network makes of the image, by label',
        asTheyAre: true,
        columns: [
            { name: 'label', title: 'Label', values: answer.probabilities.map((_, label) => label) },
            {
                name: 'probability',
                title: 'Probability',
                values: answer.probabilities,
                text: (value) => percent(value, 1),
            },
            ...(hasLabels(answer) ? answer.goodness : []).map((values, layer) => ({
                name: `goodness_layer_${layer}`,
                title: `Goodness, layer ${layer}`,
                values,
                text: figure,
            })),
        ],
    };
}
