/* chart.js - uPlot in our colours: lines, bands between lines, one level line; zoom, crosshair, keyboard.
 *
 * A chart only draws. Who owns it says what to draw and which range of x to show; a zoom asked for by dragging or
 * by key goes to the owner, so that all charts of a group zoom together. */

import uPlot from './uPlot.esm.js';
import { alone, drawBands, drawLevel, drawMarks, drawMissing } from './marks.js';
import { FONT, logSplits, widest, yRange } from './scale.js';
import { colour } from './theme.js';

/**
 * @typedef {(number | null)[]} Values one for every x
 * @typedef {{label: string, colour: string, dash?: number[], dots?: boolean, stepped?: boolean, fill?: string}} Line
 *            colour, fill: tokens; stepped: a value holds from its x to the next
 * @typedef {{x: number[], lines: Values[], bands?: [Values, Values][], level?: number | null, levelX?: number | null,
 *            base?: number, marks?: number[], range: [number, number]}} Drawing bands: from one line to another; level:
 *            one value of y, as a thin line, levelX: of x; base: a value of y that is always in view; marks: places on x,
 *            as thin dashed lines
 * @typedef {object} Description
 * @property {string} title
 * @property {Line[]} lines
 * @property {string[]} [bands] their colours, as tokens
 * @property {string} [group] charts of one group share their crosshair
 * @property {boolean} [log]
 * @property {number[]} [steps] distances that x may be divided by
 * @property {(value: number) => string} xText
 * @property {(value: number) => string} [yText]
 * @property {(range: [number, number] | null) => void} [zoom] asked for; null: back to all
 * @property {(width: number) => void} [resized] the chart is so many pixels wide now
 * @property {(index: number | null) => void} [cursor] moved to this point; null: away
 */

export { FONT };

const SHORTEST_DRAG = 5; /* pixels; less is a click */

export class Chart {
    /** @type {number | null} */ #at = null;

    /**
     * @param {HTMLElement} host fills it, and follows its size
     * @param {Description} description
     */
    constructor(host, description) {
        this.host = host;
        this.description = description;
        /** @type {Drawing} */ this.drawing = { x: [], lines: description.lines.map(() => []), range: [0, 1] };
        this.plot = this.#make();
        this.resized = new ResizeObserver(() => this.#fit());
        this.resized.observe(host);
        this.keys = (/** @type {KeyboardEvent} */ event) => this.#key(event);
        this.leave = () => this.#moveTo(null);
        host.addEventListener('keydown', this.keys);
        host.addEventListener('blur', this.leave);
    }

    destroy() {
        this.resized.disconnect();
        this.host.removeEventListener('keydown', this.keys);
        this.host.removeEventListener('blur', this.leave);
        this.plot.destroy();
    }

    /** Show this; nothing else of the chart changes. What is drawn is kept as it is now, however the values go on.
     * @param {Drawing} drawing */
    draw(drawing) {
        const { log } = this.description;
        const x = drawing.x.slice();
        const lines = drawing.lines.map((line) =>
            line.map((value) => (value === null || (log && value <= 0) ? null : value)),
        );
        const [min, max] = drawing.range;

        this.drawing = { ...drawing, x };
        this.plot.batch(() => {
            this.plot.setData(/** @type {any} */ ([x, ...lines]), false);
            this.plot.setScale('x', { min, max: max > min ? max : min + 1 });
        });
    }

    #make() {
        const { description } = this;
        const plot = new uPlot(
            {
                ...this.#size(),
                padding: [6, 8, 0, 0],
                scales: {
                    x: { time: false, auto: false },
                    y: {
                        distr: description.log ? 3 : 1,
                        range: () => yRange(this.drawing, !!description.log),
                    },
                },
                axes: [this.#xAxis(), this.#yAxis()],
                series: [{}, ...description.lines.map((line) => this.#series(line))],
                legend: { show: false },
                cursor: this.#cursor(),
                hooks: {
                    drawAxes: [() => drawBands(this)],
                    draw: [() => drawLevel(this), () => drawMarks(this), () => drawMissing(this)],
                    setSelect: [() => this.#selected()],
                    setCursor: [() => this.#moved()],
                },
            },
            /** @type {any} */ ([[], ...description.lines.map(() => [])]),
            this.host,
        );
        plot.over.addEventListener('mouseleave', () => description.cursor?.(null));
        return plot;
    }

    /** @param {Line} line */
    #series(line) {
        return {
            label: line.label,
            width: 2,
            pxAlign: 0,
            dash: line.dash,
            stroke: () => colour(line.colour),
            fill: line.fill ? () => colour(/** @type {string} */ (line.fill)) : undefined,
            paths: line.stepped ? /** @type {any} */ (uPlot.paths).stepped({ align: 1 }) : undefined,
            points: {
                show: true,
                size: line.dots ? 6 : 4,
                fill: () => colour(line.colour),
                filter: (/** @type {any} */ plot, /** @type {number} */ index) =>
                    line.dots ? null : alone(plot.data[index]),
            },
        };
    }

    #xAxis() {
        return {
            font: FONT,
            size: 32,
            gap: 6,
            space: 52,
            incrs: this.description.steps,
            stroke: () => colour('--text-muted'),
            grid: { show: false },
            ticks: { stroke: () => colour('--line-strong'), width: 1, size: 5 },
            border: { show: true, stroke: () => colour('--line-strong'), width: 1 },
            values: (/** @type {any} */ _, /** @type {number[]} */ values) => values.map(this.description.xText),
        };
    }

    #yAxis() {
        const text = this.description.yText ?? ((value) => String(Number(value.toPrecision(5))));
        return {
            font: FONT,
            size: widest,
            gap: 6,
            space: 36,
            stroke: () => colour('--text-muted'),
            grid: { stroke: () => colour('--grid'), width: 1 },
            ticks: { show: false },
            ...(this.description.log
                ? { splits: logSplits, filter: (/** @type {any} */ _, /** @type {any} */ at) => at }
                : {}),
            values: (/** @type {any} */ _, /** @type {(number | null)[]} */ values) =>
                values.map((value) => (value === null ? '' : text(value))),
        };
    }

    #cursor() {
        const { group, lines } = this.description;
        const seen = (/** @type {any} */ plot, /** @type {number} */ index) => {
            const line = lines[index - 1];
            if (!line) return false;
            const dot = document.createElement('div');
            dot.style.width = dot.style.height = '9px';
            dot.style.marginLeft = dot.style.marginTop = '-4.5px';
            dot.style.background = `var(${line.colour})`;
            dot.style.border = '2px solid var(--surface)';
            dot.style.backgroundClip = 'border-box';
            return dot;
        };
        const moves = (/** @type {string} */ type) => type === 'mousemove' || type === 'mouseleave';
        return /** @type {any} */ ({
            y: false,
            points: { show: seen },
            drag: { x: true, y: false, setScale: false },
            bind: { dblclick: () => () => this.description.zoom?.(null) },
            ...(group ? { sync: { key: group, scales: ['x', null], filters: { pub: moves, sub: moves } } } : {}),
        });
    }

    #selected() {
        const { left, width } = this.plot.select;
        if (width === 0) return;
        this.plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        if (width >= SHORTEST_DRAG)
            this.description.zoom?.([this.plot.posToVal(left, 'x'), this.plot.posToVal(left + width, 'x')]);
    }

    #moved() {
        const { idx, left } = this.plot.cursor;
        const at = left !== undefined && left >= 0 ? (idx ?? null) : null;
        if (at !== this.#at) {
            this.#at = at;
            this.description.cursor?.(at);
        }
    }

    /** Put the crosshair on a point, here and in the group. @param {number | null} index */
    #moveTo(index) {
        const at = index === null ? null : this.drawing.x[index];
        const left = at === null || at === undefined ? -10 : this.plot.valToPos(at, 'x');
        const top = at === null ? -10 : this.plot.over.clientHeight / 2;
        /** @type {any} */ (this.plot).setCursor({ left, top }, true, true);
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        const { x, range } = this.drawing;
        if (!x.length || event.ctrlKey || event.metaKey || event.altKey) return;
        const newest = x.length - 1;
        const at = Math.min(this.#at ?? newest, newest);
        const far = event.shiftKey ? 10 : 1;
        const middle = this.#at === null ? (range[0] + range[1]) / 2 : x[at];
        const zoomed = (/** @type {number} */ factor) => {
            const half = ((range[1] - range[0]) * factor) / 2;
            this.description.zoom?.([Math.max(0, middle - half), middle + half]);
        };
        /** @type {Record<string, () => void>} */
        const actions = {
            ArrowLeft: () => this.#moveTo(Math.max(0, at - far)),
            ArrowRight: () => this.#moveTo(Math.min(newest, at + far)),
            Home: () => this.#moveTo(0),
            End: () => this.#moveTo(newest),
            '+': () => zoomed(0.5),
            '-': () => zoomed(2),
            0: () => this.description.zoom?.(null),
            Escape: () => (this.#moveTo(null), this.description.zoom?.(null)),
        };
        if (event.key in actions) {
            actions[event.key]();
            event.preventDefault();
        }
    }

    #size() {
        return { width: Math.max(this.host.clientWidth, 120), height: Math.max(this.host.clientHeight, 120) };
    }

    #fit() {
        const size = this.#size();
        this.description.resized?.(size.width);
        if (size.width !== this.plot.width || size.height !== this.plot.height) this.plot.setSize(size);
    }

    /** What a picture file of it is made from. */
    get picture() {
        const { title, lines } = this.description;
        return { canvas: this.plot.ctx.canvas, title, lines };
    }

    /** Draw again as it is, in the colours of now. */
    recolour() {
        this.plot.redraw(false);
    }
}
