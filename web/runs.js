/* runs.js - the page of all runs: a table that is sorted, asked, picked from and changed. Here the parts meet. */

import { Problem } from './lib/api.js';
import { Connection } from './lib/connection.js';
import { ContinueDialog } from './lib/continue.js';
import { saveCsv, csvText } from './lib/csv.js';
import { element, say, setText } from './lib/dom.js';
import { count } from './lib/format.js';
import { prepareKeys } from './lib/keys.js';
import './lib/page.js';
import { differingSettings, settingPaths } from './lib/settings.js';
import { addressOf, readAddress } from './runs/address.js';
import { Chooser } from './runs/chooser.js';
import { Collection } from './runs/collection.js';
import { byColumn, fixedColumn, LEADING, settingColumn } from './runs/columns.js';
import { EditDialog } from './runs/edit.js';
import { Histories } from './runs/history.js';
import { Pager } from './runs/pager.js';
import { Picked } from './runs/picked.js';
import { readQuery } from './runs/query.js';
import { Removal } from './runs/removal.js';
import { RunTable } from './runs/table.js';

/** @typedef {import('./lib/api.js').Run} Run */

const DIFFERING = 6; /* columns of settings that nobody has chosen; beyond that a table is hard to read */

const view = readAddress();
const picked = new Set(view.picked);
let frame = 0;
let ready = false; /* the first page of runs was read */

const runs = new Collection(draw);
const histories = new Histories(draw, (id) => runs.forget([id]));
const chooser = new Chooser(view, changed);
const pager = new Pager(view, changed);
const edit = new EditDialog((run) => runs.update(run));
const continuation = new ContinueDialog((run) => runs.update(run));
const bar = new Picked({ clear: pickNone, remove: () => remove(pickedRuns()) });
const removal = new Removal(element('toasts'), {
    hide: (ids) => runs.hide(ids),
    restore: (ids) => {
        runs.restore(ids);
        drawNow();
        if (ids.length) table.focus(ids[0]);
    },
    forget: (ids) => {
        ids.forEach((id) => picked.delete(id));
        runs.forget(ids);
    },
});
const table = new RunTable(/** @type {HTMLTableElement} */ (element('list-table')), {
    sort,
    pick: (id, on) => pick([id], on),
    pickAll: (on) =>
        pick(
            listed().page.map(({ id }) => id),
            on,
        ),
    edit: (run) => edit.open(run),
    goOn: (run) => continuation.open(run),
    remove: (run) => remove([run]),
    tag: (tag) => ask(`tag:${/\s/.test(tag) ? `"${tag}"` : tag}`),
    history: (run) => histories.of(run),
});

/* --- what is listed --- */

/** The runs that the view asks for, in its order, and those of them that are on the page. */
function listed() {
    const all = runs.all;
    const settings = new Set(all.flatMap(({ config }) => settingPaths(config)));
    const { test, problem } = readQuery(view.query, settings);
    const column =
        fixedColumn(view.order.id) ?? (settings.has(view.order.id) ? settingColumn(view.order.id) : LEADING[0]);
    const found = all.filter(test).sort(byColumn(column, view.order.falling));
    return { all, found, page: pager.take(found), settings: [...settings], problem };
}

/** The columns that are chosen, and those in which the listed runs differ. @param {Run[]} found
 * @param {string[]} settings */
function columnsOf(found, settings) {
    const chosen = view.columns.map((id) => fixedColumn(id) ?? (settings.includes(id) ? settingColumn(id) : null));
    const others = view.differing ? differingSettings(found).filter((path) => !view.columns.includes(path)) : [];
    const columns = [
        ...chosen.filter((column) => column !== null),
        ...others.slice(0, DIFFERING).map(settingColumn),
    ];
    return { columns, more: others.slice(DIFFERING) };
}

const pickedRuns = () =>
    /** @type {Run[]} */ ([...picked].map((id) => runs.get(id)).filter((run) => run !== undefined));

/** Draw in the next frame, however many things have changed. */
function draw() {
    if (!frame && !document.hidden) frame = requestAnimationFrame(drawNow);
}

function drawNow() {
    cancelAnimationFrame(frame);
    frame = 0;
    if (!ready && !runs.all.length) return;
    const { all, found, page, settings, problem } = listed();
    const { columns, more } = columnsOf(found, settings);

    histories.keepOnly(new Set(page.map(({ id }) => id)));
    element('empty').hidden = all.length > 0;
    element('no-match').hidden = all.length === 0 || found.length > 0;
    element('list').hidden = found.length === 0;
    setText(element('no-match-text'), `None of ${count(all.length)} runs matches “${view.query}”.`);
    say(element('list-problem'), problem);
    setText(element('list-count'), countText(all.length, found.length));
    say(element('more-settings'), moreText(more));
    table.draw(page, columns, view.order, picked);
    chooser.draw(settings);
    bar.draw(pickedRuns());
}

/** @param {number} all @param {number} found */
function countText(all, found) {
    const asked = view.query.trim() ? `${count(found)} of ` : '';
    return `${asked}${count(all)}${all === 1 ? ' run' : ' runs'}${runs.whole ? '' : ', reading more …'}`;
}

/** @param {string[]} more settings that differ and have no column */
function moreText(more) {
    if (!more.length) return null;
    const names = more.slice(0, 8).join(', ') + (more.length > 8 ? ' …' : '');
    return `These runs differ in ${more.length} more settings, all under Columns: ${names}`;
}

/* --- what a person does --- */

/** The view is another: draw it, and keep it in the address. */
function changed() {
    view.picked = [...picked];
    history.replaceState(null, '', addressOf(view));
    drawNow();
}

/** @param {string} id of a column */
function sort(id) {
    const falling = view.order.id === id ? !view.order.falling : id === 'id';
    view.order = { id, falling };
    view.page = 1;
    changed();
}

/** @param {string} query */
function ask(query) {
    /** @type {HTMLInputElement} */ (element('list-query')).value = query;
    view.query = query;
    view.page = 1;
    changed();
}

/** @param {number[]} ids @param {boolean} on */
function pick(ids, on) {
    ids.forEach((id) => (on ? picked.add(id) : picked.delete(id)));
    changed();
}

function pickNone() {
    picked.clear();
    changed();
    element('list-query').focus();
}

/** @param {Run[]} chosen */
function remove(chosen) {
    if (chosen.length) removal.begin(chosen);
}

/** All that is listed, as a file: every row of it, and every setting. */
function saveList() {
    const { found, settings } = listed();
    const columns = [...LEADING, ...view.columns.map(fixedColumn), ...settings.map(settingColumn)];
    const known = columns.filter((column) => column !== undefined && column.look !== 'spark');
    const valued = /** @type {import('./runs/columns.js').Column[]} */ (known);
    const rows = found.map((run) => valued.map((column) => column.value(run)));
    const head = [...new Set(valued.map(({ id }) => id))];
    const unique = head.map((id) => valued.findIndex((column) => column.id === id));
    saveCsv(
        csvText(
            head,
            rows.map((row) => unique.map((i) => row[i])),
        ),
        'runs.csv',
    );
}

/* --- the connection --- */

async function readAll() {
    try {
        await runs.read();
        ready = true;
        draw();
    } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        connection.complain(problem.message);
    }
}

/** Somebody deleted a run; a run that this page deleted is picked no more already. @param {number} id */
function gotDeleted(id) {
    const known = runs.get(id);
    if (known) setText(element('announce'), `Run ${id}, ${known.name}, was deleted.`);
    runs.forget([id]);
    if (picked.delete(id)) changed();
}

const connection = new Connection({ run: (run) => runs.update(run), deleted: gotDeleted, connected: readAll });

function prepare() {
    const query = /** @type {HTMLInputElement} */ (element('list-query'));
    query.value = view.query;
    query.addEventListener('input', () => ask(query.value));
    element('clear-query').addEventListener('click', () => {
        ask('');
        query.focus();
    });
    element('list-csv').addEventListener('click', saveList);
    setText(element('curl-line'), `curl ${location.origin}/api/v1/runs`);
    prepareKeys({
        '/': () => element('list-query').focus(),
        c: () => picked.size && element('picked-compare').click(),
        ArrowLeft: () => element('page-before').click(),
        ArrowRight: () => element('page-next').click(),
    });
    document.addEventListener('visibilitychange', draw);
}

prepare();
connection.open();
