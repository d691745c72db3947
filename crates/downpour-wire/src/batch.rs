//! Record batches of magic 2: builder, sealed body and reader. To come.
