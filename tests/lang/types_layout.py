# Layout, flags and dict order of classes.
import ast
for s in ['x = ("a" f"{b:02}d"\n f"c{d:3{e}4}"\n"q")']:
    print(ast.dump(ast.parse(s).body[0].value,include_attributes=True,indent=1))
