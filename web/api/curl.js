/* curl.js - an operation as a line for a shell, with values that this very server has.
 *
 * Every line works as it stands: path parameters are filled in, and where an operation takes a query or a body that it
 * can do without, there is a line without and a line with it. */

/** @typedef {import('./openapi.js').OpenApi} OpenApi */
/** @typedef {import('./openapi.js').Operation} Operation */
/** @typedef {Record<string, string | number>} Values of path parameters */

/** A word for a POSIX shell. @param {string} text */
const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** @param {Operation} operation @param {Values} values */
function pathOf(operation, values) {
    const example = (/** @type {string} */ name) =>
        operation.parameters.find((parameter) => parameter.name === name && parameter.in === 'path')?.example;
    return operation.path.replace(/\{([^}*]+)\*?\}/g, (_, name) =>
        encodeURIComponent(values[name] ?? example(name) ?? ''),
    );
}

/** "?limit=10&before=100": every parameter of the query that has an example. @param {Operation} operation */
function queryOf(operation) {
    const asked = operation.parameters.filter((parameter) => parameter.in === 'query' && 'example' in parameter);
    const texts = asked.map(({ name, example }) => `${name}=${encodeURIComponent(example).replaceAll('%2C', ',')}`);
    return texts.length ? `?${texts.join('&')}` : '';
}

/** What curl needs beside the address. @param {Operation} operation */
function optionsOf(operation) {
    const types = operation.answers[0]?.types.map(({ type }) => type) ?? [];
    const options = ['curl'];
    if (types.includes('text/event-stream')) options.push('-N');
    if (types.includes('application/octet-stream')) options.push('-o', `${operation.id}.bin`);
    return options;
}

/**
 * @param {OpenApi} api
 * @param {Operation} operation
 * @param {string} origin "http://127.0.0.1:7007"
 * @param {Values} values what this server has
 * @returns {{line: string, what: string}[]} what: what the line shows, '' for the first
 */
export function curlLines(api, operation, origin, values) {
    const address = origin + pathOf(operation, values);
    const options = optionsOf(operation);
    const method = operation.method === 'GET' ? [] : ['-X', operation.method];
    const line = (/** @type {string[]} */ ...more) => [...options, ...more].map(quoted).join(' ');
    const example = operation.body && api.exampleOf(operation.body.schema);
    /* --json alone is a POST. */
    const json = ['--json', JSON.stringify(example), ...(operation.method === 'POST' ? [] : method)];
    const lines = [];

    if (!operation.body?.required && operation.method !== 'PATCH')
        lines.push({ line: line(...method, address), what: '' });
    if (example !== undefined && example !== null)
        lines.push({ line: line(...json, address), what: 'With a body' });
    if (queryOf(operation))
        lines.push({ line: line(...method, address + queryOf(operation)), what: 'With every parameter' });
    return lines.map((each, i) => (i ? each : { ...each, what: '' }));
}
