/* The build puts uPlot beside the pages' modules; for the type check it is the package's own declarations. */
declare module '*/uPlot.esm.js' {
    import uPlot from 'uplot';
    export default uPlot;
}
