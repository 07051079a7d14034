/* state.js - what the live page knows of the run it shows, and who wants to be told when that changes. */

import { addressOf, readAddress } from '../lib/address.js';
import { Painter } from '../lib/paint.js';
import { Series } from '../lib/series.js';
import { Zoom } from '../lib/zoom.js';

/**
 * @typedef {import('../lib/api.js').Run} Run
 * @typedef {import('../lib/api.js').EpochRow} EpochRow
 *
 * @typedef {object} Section a part of the page; it draws when the painter has it draw
 * @property {() => void} [clear] another run is shown from now on: forget all of the one before
 * @property {(before: Run | null) => void} [run] the run's state is a newer one
 * @property {() => void} [points] the series has grown, or was cut, or another part of it is in view
 * @property {(rows: EpochRow[]) => void} [epochs] these epochs are done
 * @property {(histograms: any) => void} [histograms] of the epoch that is under way
 * @property {(after: number) => void} [dropped] nothing beyond this step is the run's any more
 * @property {() => void} [view] what is to be shown is another
 */

export class Live {
    /** @type {Run | null} null: none, or nothing is known of it yet */ run = null;
    /** The number of the run shown; 0: none. */
    id = 0;
    /** @type {Section[]} */ sections = [];
    painter = new Painter();
    series = new Series();
    zoom = new Zoom(this.series, () => this.#tell('points'));
    view = readAddress().view;

    /** @param {'clear' | 'run' | 'points' | 'epochs' | 'histograms' | 'dropped' | 'view'} what @param {any} [how] */
    #tell(what, how) {
        for (const section of this.sections) section[what]?.(how);
    }

    /** Show this run. @param {number} id @param {boolean} remember as a new page of the browser's history */
    show(id, remember) {
        if (id !== this.id) {
            this.id = id;
            this.run = null;
            this.series.clear();
            if (remember) Object.assign(this.view, { zoom: null, epoch: null, units: [0, 0], sample: null });
            this.zoom.set(id, null);
            this.#tell('clear');
        }
        this.keep(remember);
    }

    /** The run that is shown is not there. */
    lost() {
        this.run = null;
    }

    /** @param {Run} run */
    gotRun(run) {
        const before = this.run;
        this.run = run;
        if (this.series.last > run.progress.step && run.state === 'running') run.progress.step = this.series.last;
        this.#tell('run', before);
    }

    /** @param {import('../lib/events.js').Points} points */
    gotPoints(points) {
        if (!this.series.append(points)) return;
        this.zoom.append(points);
        if (points.downsampled) this.series.coarse = true;
        if (this.view.zoom && !this.zoom.range) this.zoom.set(this.id, this.view.zoom);
        if (this.run) this.run.progress.step = Math.max(this.run.progress.step, this.series.last);
        this.#tell('points');
    }

    /** @param {EpochRow[]} rows */
    gotEpochs(rows) {
        if (rows.length) this.#tell('epochs', rows);
    }

    /** @param {any} histograms */
    gotHistograms(histograms) {
        this.#tell('histograms', histograms);
    }

    /** @param {number} after */
    dropped(after) {
        this.series.cut(after);
        this.zoom.cut(after);
        this.#tell('dropped', after);
        this.#tell('points');
    }

    /** Put this range of the view's axis in view; null: everything. @param {[number, number] | null} range */
    zoomTo(range) {
        const steps = range ? this.zoom.inSteps(this.view.axis, range) : null;
        this.view.zoom = steps && steps[1] - steps[0] > 0 ? steps : null;
        this.zoom.set(this.id, this.view.zoom);
        this.keep(false);
        this.#tell('points');
    }

    /** Something of the view was changed: `sections` draw it, the address holds it. @param {Partial<import('../lib/address.js').View>} changed */
    look(changed) {
        Object.assign(this.view, changed);
        this.keep(false);
        this.#tell('view');
    }

    /** Take the view from the address: the browser went back or forth. @returns {string | null} the run it names */
    readAddress() {
        const { run, view } = readAddress();
        this.view = view;
        this.zoom.set(this.id, view.zoom);
        this.#tell('view');
        return run;
    }

    /** @param {boolean} remember */
    keep(remember) {
        const address = addressOf(this.id, this.view);
        if (remember && address !== location.pathname + location.search) history.pushState(null, '', address);
        else history.replaceState(null, '', address);
    }
}
