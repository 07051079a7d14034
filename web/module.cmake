# Makes a module of a script that sets one variable:
#
#     cmake -DFROM=uPlot.iife.min.js -DNAME=uPlot -DTO=uPlot.esm.js -P module.cmake

file(READ "${FROM}" script)
file(WRITE "${TO}" "${script}\nexport default ${NAME};\n")
